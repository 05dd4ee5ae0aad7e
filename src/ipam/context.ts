/** What every part of address management is handed. */

import type { Datastore } from "../datastore/index.ts";
import type { Clock, Prefix } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";

export interface IpamContext {
  readonly store: Datastore;
  readonly clock: Clock;
  /** In [0,1). */
  readonly random: () => number;
  readonly log: Log;
  /**
   * Per node and family the block that gave an address last: tried first, so that a pod costs no
   * listing of all affinities of the cluster. Only a hint: what holds is read from the datastore.
   */
  readonly lastBlocks: Map<string, Prefix>;
}
