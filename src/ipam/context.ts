/** What every part of address management is handed. */

import type { Datastore } from "../datastore/index.ts";
import type { Clock } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";

export interface IpamContext {
  readonly store: Datastore;
  readonly clock: Clock;
  /** In [0,1). */
  readonly random: () => number;
  readonly log: Log;
}
