/** What the traffic of the lab is made of, and what it reports. */

import type { WindowCounts } from "./ledger.ts";

/** One end of probes: a pod, or a host. */
export interface Endpoint {
  readonly name: string;
  /** Path of its network namespace. */
  readonly namespace: string;
  readonly address: string;
}

export interface TrafficOptions {
  readonly endpoints: readonly Endpoint[];
  /** Over all ordered pairs together. */
  readonly probesPerSecond: number;
  /** A long TCP connection between two of the endpoints, by name; none when absent. */
  readonly stream?: { readonly from: string; readonly to: string };
  /** UDP and TCP port the endpoints listen on; 9000 unless told. */
  readonly port?: number;
}

export interface StreamCounts {
  readonly bytes: number;
  /** The connection was reset or closed and had to be made again. */
  readonly resets: number;
  /** Segments sent again, both ends. */
  readonly retransmits: number;
  /** Longest time without new data at the receiver. */
  readonly longestStallMs: number;
}

export interface PairReport extends WindowCounts {
  readonly from: string;
  readonly to: string;
}

export interface WindowReport {
  readonly total: WindowCounts;
  /** Only pairs that lost, duplicated or reordered anything. */
  readonly troubled: readonly PairReport[];
  readonly stream?: StreamCounts;
}

/** From the main thread to the worker. */
export type Command =
  | { readonly kind: "advance" }
  | { readonly kind: "report"; readonly window: number }
  /** Keeps sockets and connection, sends nothing. */
  | { readonly kind: "pause"; readonly paused: boolean }
  | { readonly kind: "stop" };

/** From the worker; answers come in the order of the commands. */
export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "advanced"; readonly window: number }
  | { readonly kind: "report"; readonly report: WindowReport }
  | { readonly kind: "paused" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly message: string };
