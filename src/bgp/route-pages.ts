/** Walks a table in pages, so that half a million routes can be shown without the event loop waiting. */

import { maskPrefix, prefixCovers } from "../lib/index.ts";
import type { RoutePages, RouteQuery } from "./view-types.ts";
import { keyOfPrefix, type PrefixKey, prefixOfKey } from "./wire/index.ts";

const PAGE_PREFIXES = 1000;

export function* routePages<R>(options: {
  readonly query: RouteQuery | undefined;
  /** All keys of the table; it may change while they are walked over, as a Map may. */
  readonly keys: () => Iterable<PrefixKey>;
  readonly tell: (key: PrefixKey) => readonly R[];
}): RoutePages<R> {
  const { query, keys, tell } = options;
  const within = query?.match === "within" ? query.prefix : undefined;
  let page: R[] = [];
  let looked = 0;
  for (const key of query === undefined || within ? keys() : few(query)) {
    if (within === undefined || prefixCovers(within, prefixOfKey(key))) page.push(...tell(key));
    if (++looked < PAGE_PREFIXES) continue;
    yield page;
    page = [];
    looked = 0;
  }
  if (page.length > 0) yield page;
}

function* few({ prefix, match = "exact" }: RouteQuery): Generator<PrefixKey> {
  yield keyOfPrefix(prefix);
  if (match === "exact") return;
  for (let length = prefix.length - 1; length >= 0; length--) {
    yield keyOfPrefix(maskPrefix({ ...prefix, length }));
  }
}
