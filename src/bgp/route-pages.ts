/** Walks a table in pages, so that half a million routes can be shown without the event loop waiting. */

import { maskPrefix, prefixCovers } from "../lib/index.ts";
import { type PrefixNumber, prefixIndex } from "./rib/index.ts";
import type { RoutePages, RouteQuery, SentRoute } from "./view-types.ts";
import { keyOfPrefix, type PrefixKey, prefixOfKey } from "./wire/index.ts";

const PAGE_PREFIXES = 1000;
/** Numbers in lists: a peer decides how long they are, and a page with all of a thousand could be 200 MB. */
const PAGE_NUMBERS = 20_000;

type Lists = "asPath" | "communities" | "largeCommunities" | "extendedCommunities" | "clusterList";

export function* routePages<R extends Pick<SentRoute, Lists>>(options: {
  readonly query: RouteQuery | undefined;
  /** All of the table; it may change while they are walked over, as a Map may. */
  readonly numbers: () => Iterable<PrefixNumber>;
  readonly tell: (number: PrefixNumber, key: PrefixKey) => readonly R[];
}): RoutePages<R> {
  const { query, numbers, tell } = options;
  const within = query?.match === "within" ? query.prefix : undefined;
  let page: R[] = [];
  let looked = 0;
  let listed = 0;
  for (const number of query === undefined || within ? numbers() : few(query)) {
    const key = prefixIndex.keyOf(number);
    if (within === undefined || prefixCovers(within, prefixOfKey(key))) {
      for (const route of tell(number, key)) {
        page.push(route);
        listed += lengthOfLists(route);
      }
    }
    if (++looked < PAGE_PREFIXES && listed < PAGE_NUMBERS) continue;
    yield page;
    page = [];
    looked = 0;
    listed = 0;
  }
  if (page.length > 0) yield page;
}

function lengthOfLists(route: Pick<SentRoute, Lists>): number {
  const { asPath, communities, largeCommunities, extendedCommunities, clusterList } = route;
  const others = communities.length + extendedCommunities.length + clusterList.length;
  return asPath.length + 3 * largeCommunities.length + others;
}

function* few({ prefix, match = "exact" }: RouteQuery): Generator<PrefixNumber> {
  const shortest = match === "exact" ? prefix.length : 0;
  for (let { length } = prefix; length >= shortest; length--) {
    const number = prefixIndex.find(keyOfPrefix(maskPrefix({ ...prefix, length })));
    if (number !== undefined) yield number;
  }
}
