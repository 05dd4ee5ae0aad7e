/** Roughly what routes take, judged by a few of them: attributes are mostly shared, but need not be. */

import type { AdjRibInTable } from "./rib/index.ts";
import type { PathAttributes } from "./wire/index.ts";

/** In all tables together. */
const ROUTE_BYTES = 120;
const SET_BYTES = 500;
/** Neighbours in the table, which mostly share their attributes if any do, at so many places. */
const RUN = 20;
const RUNS = 10;

export function heldBytes(tables: Iterable<AdjRibInTable>): number {
  let bytes = 0;
  for (const table of tables) {
    if (table.size > 0) bytes += table.size * (ROUTE_BYTES + setBytesOfOne(table));
  }
  return bytes;
}

/** Those looked at are spread by chance: a peer could tell small ones first. */
function setBytesOfOne(table: AdjRibInTable): number {
  const every = Math.max(RUN, Math.floor(table.size / RUNS));
  const sets = new Set<PathAttributes>();
  let looked = 0;
  let at = Math.floor(Math.random() * every);
  for (const number of table.numbers()) {
    if (at++ % every >= RUN) continue;
    for (const { attributes } of table.paths(number)) {
      sets.add(attributes);
      looked++;
    }
  }
  let bytes = 0;
  for (const set of sets) bytes += bytesOf(set);
  return bytes / Math.max(1, looked);
}

function bytesOf(set: PathAttributes): number {
  const { asPath, communities = [], clusterList = [], unknown = [] } = set;
  let numbers = communities.length + clusterList.length;
  for (const { asns } of asPath) numbers += asns.length;
  let bytes = SET_BYTES + 8 * numbers;
  bytes += (set.largeCommunities?.length ?? 0) + (set.extendedCommunities?.length ?? 0);
  for (const { value } of unknown) bytes += value.length;
  return bytes;
}
