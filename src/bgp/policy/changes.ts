/** What a rule makes of a route's attributes. */

import type { LargeCommunity } from "../types.ts";
import {
  type AsSegment,
  encodeLargeCommunities,
  largeCommunities,
  type PathAttributes,
  prependAs,
  wellKnownCommunity,
} from "../wire/index.ts";
import type { ListChanges, RouteChanges } from "./rule.ts";

/** The same object when nothing is changed by it. */
export function changeAttributes(
  attributes: PathAttributes,
  changes: RouteChanges,
): PathAttributes {
  const { localPref, med, nextHop, prependAsPath } = changes;
  let made: { -readonly [K in keyof PathAttributes]: PathAttributes[K] } | undefined;
  const change = <K extends keyof PathAttributes>(field: K, value: PathAttributes[K]) => {
    if (attributes[field] === value) return;
    made ??= { ...attributes };
    made[field] = value;
  };
  if (localPref !== undefined) change("localPref", localPref);
  if (med !== undefined) change("med", med);
  if (nextHop !== undefined) change("nextHop", nextHop);
  if (prependAsPath?.length) change("asPath", prepended(attributes.asPath, prependAsPath));
  if (changes.communities) {
    const before = attributes.communities ?? [];
    const list = markKept(
      before,
      changeList(before, changes.communities, (a, b) => a === b),
    );
    if (list !== before) {
      made ??= { ...attributes };
      if (list.length > 0) made.communities = list;
      else delete made.communities;
    }
  }
  if (changes.largeCommunities) {
    const before = largeCommunities(attributes.largeCommunities);
    const list = changeList(before, changes.largeCommunities, sameLarge);
    if (list !== before) {
      made ??= { ...attributes };
      if (list.length > 0) made.largeCommunities = encodeLargeCommunities(list);
      else delete made.largeCommunities;
    }
  }
  return made ?? attributes;
}

function prepended(path: readonly AsSegment[], numbers: readonly number[]): readonly AsSegment[] {
  return numbers.reduceRight((made, as) => prependAs(made, as), path);
}

/** The same list when nothing is changed. What is added is added once. */
function changeList<T>(
  before: readonly T[],
  { replace, remove = [], add = [] }: ListChanges<T>,
  same: (a: T, b: T) => boolean,
): readonly T[] {
  const has = (list: readonly T[], item: T) => list.some((each) => same(each, item));
  const list = (replace ?? before).filter((item) => !has(remove, item));
  for (const item of add) if (!has(list, item)) list.push(item);
  const unchanged =
    list.length === before.length && list.every((item, at) => same(item, before[at]!));
  return unchanged ? before : list;
}

/** RFC 9494 section 4.3: LLGR_STALE is not to be removed, or stale routes would be told as if they were not. */
function markKept(before: readonly number[], after: readonly number[]): readonly number[] {
  const { longLivedStale } = wellKnownCommunity;
  if (!before.includes(longLivedStale) || after.includes(longLivedStale)) return after;
  return [...after, longLivedStale];
}

function sameLarge(a: LargeCommunity, b: LargeCommunity): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}
