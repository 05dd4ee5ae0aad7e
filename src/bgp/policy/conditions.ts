/** What a rule asks of a route's attributes; nothing is allocated to answer it. */

import { globPattern, type IpAddress } from "../../lib/index.ts";
import {
  type AsSegment,
  encodeLargeCommunities,
  holdsLargeCommunity,
  type PathAttributes,
} from "../wire/index.ts";
import { PrefixSet } from "./prefix-set.ts";
import type { PolicyRule } from "./rule.ts";

/** What is asked about, beside the prefix. */
export interface PolicyRoute {
  readonly attributes: PathAttributes;
  /** Where it was learned with another next hop than its attributes have now. */
  readonly learnedNextHop?: IpAddress | undefined;
  /** Of an originated one, where it has one. */
  readonly device?: string | undefined;
}

export type Condition = (route: PolicyRoute) => boolean;

const DEFAULT_LOCAL_PREF = 100;

/** All must hold. */
export function compileConditions(rule: PolicyRule): readonly Condition[] {
  const { communities, asPathPrefix, asPathContains, nextHops, localPref, devices } = rule;
  const conditions: Condition[] = [];
  if (communities?.length) {
    conditions.push(({ attributes: { communities: carried } }) => {
      if (carried === undefined) return false;
      for (const each of communities) if (!carried.includes(each)) return false;
      return true;
    });
  }
  for (const each of rule.largeCommunities ?? []) {
    const bytes = encodeLargeCommunities([each]);
    conditions.push(
      ({ attributes: { largeCommunities: carried } }) =>
        carried !== undefined && holdsLargeCommunity(carried, bytes),
    );
  }
  if (asPathPrefix?.length) {
    conditions.push(({ attributes }) => beginsWith(attributes.asPath, asPathPrefix));
  }
  for (const as of asPathContains ?? []) {
    conditions.push(({ attributes }) => contains(attributes.asPath, as));
  }
  if (nextHops !== undefined) {
    const set = new PrefixSet(nextHops.map((prefix) => ({ prefix })));
    conditions.push(({ learnedNextHop, attributes }) =>
      set.hasAddress(learnedNextHop ?? attributes.nextHop),
    );
  }
  if (localPref !== undefined) {
    conditions.push(({ attributes }) => (attributes.localPref ?? DEFAULT_LOCAL_PREF) === localPref);
  }
  if (devices !== undefined) {
    const patterns = devices.map(globPattern);
    conditions.push(
      ({ device }) => device !== undefined && patterns.some((pattern) => pattern.test(device)),
    );
  }
  return conditions;
}

/** A set has no order: it begins with nothing. */
function beginsWith(path: readonly AsSegment[], wanted: readonly number[]): boolean {
  let found = 0;
  for (const { kind, asns } of path) {
    if (kind === "set") return false;
    for (const as of asns) {
      if (as !== wanted[found]) return false;
      if (++found === wanted.length) return true;
    }
  }
  return false;
}

function contains(path: readonly AsSegment[], as: number): boolean {
  for (const { asns } of path) if (asns.includes(as)) return true;
  return false;
}
