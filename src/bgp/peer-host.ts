/** What a peer asks of the speaker it belongs to, and tells it. */

import type { Clock } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Bfd } from "./bfd/index.ts";
import type { ExportGroups, Origination, Path, PrefixNumber } from "./rib/index.ts";
import type { Transport } from "./session/index.ts";
import type { Slices } from "./slices.ts";
import type { AttributeTable } from "./wire/index.ts";

export interface PeerHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly transport: Transport;
  readonly table: AttributeTable;
  readonly slices: Slices;
  readonly exportGroups: ExportGroups;
  readonly bfd: Bfd;
  /** A peer's path after import policy, in place of the one before. */
  onPath(number: PrefixNumber, path: Path): void;
  /** A peer has no path (by this path identifier) that passes its import policy. */
  onNoPath(number: PrefixNumber, peerId: number, pathId: number): void;
  onStatus(): void;
  /** So many changes wait to be handed on that no more are to be read. */
  congested(): boolean;
  /** For the last messages of each peer. */
  ringBytes(): number;
  /** What is to be told about a prefix: our own route, else the best one. */
  route(number: PrefixNumber): Origination | Path | undefined;
  /** All that is known of a prefix, our own route first; `ranked`: then the others, the better first. */
  routes(number: PrefixNumber, ranked: boolean): Iterable<Origination | Path>;
  allNumbers(): Iterable<PrefixNumber>;
  /** How long a peer that came back may take to tell everything again. */
  stalePathSeconds(): number;
  /** No route is to be told yet (RFC 4724 section 4.1). */
  deferring(): boolean;
}
