/** Walks a table in pages, so that half a million routes can be shown without the event loop waiting. */

import { maskPrefix, prefixCovers } from "../lib/index.ts";
import { type PrefixNumber, prefixIndex } from "./rib/index.ts";
import type { RoutePages, RouteQuery } from "./view-types.ts";
import { keyOfPrefix, type PrefixKey, prefixOfKey } from "./wire/index.ts";

const PAGE_PREFIXES = 1000;

export function* routePages<R>(options: {
  readonly query: RouteQuery | undefined;
  /** All of the table; it may change while they are walked over, as a Map may. */
  readonly numbers: () => Iterable<PrefixNumber>;
  readonly tell: (number: PrefixNumber, key: PrefixKey) => readonly R[];
}): RoutePages<R> {
  const { query, numbers, tell } = options;
  const within = query?.match === "within" ? query.prefix : undefined;
  let page: R[] = [];
  let looked = 0;
  for (const number of query === undefined || within ? numbers() : few(query)) {
    const key = prefixIndex.keyOf(number);
    if (within === undefined || prefixCovers(within, prefixOfKey(key))) {
      page.push(...tell(number, key));
    }
    if (++looked < PAGE_PREFIXES) continue;
    yield page;
    page = [];
    looked = 0;
  }
  if (page.length > 0) yield page;
}

function* few({ prefix, match = "exact" }: RouteQuery): Generator<PrefixNumber> {
  const shortest = match === "exact" ? prefix.length : 0;
  for (let { length } = prefix; length >= shortest; length--) {
    const number = prefixIndex.find(keyOfPrefix(maskPrefix({ ...prefix, length })));
    if (number !== undefined) yield number;
  }
}
