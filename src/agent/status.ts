/** What an agent tells about itself over its status socket: the face of `node status`. */

import type { EndDocument } from "../bgp/view/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { Difference } from "../plan/index.ts";
import type { PeeringType } from "./peering/index.ts";

export interface AgentPeerStatus {
  readonly address: string;
  readonly type: PeeringType;
  /** `up`, or `start` as BIRD calls a session that is not. */
  readonly state: "up" | "start";
  readonly up: boolean;
  /** RFC 3339: when it entered its state. */
  readonly since: string;
  /** BGP state, and why it is not Established. */
  readonly info: string;
  /** How its last sessions ended, and attempts at one failed; the latest first, ten at most. */
  readonly history: readonly EndDocument[];
}

export interface AgentPoolStatus {
  readonly mode: string;
  readonly realised: boolean;
  /** One line per cause that keeps it from being realised. */
  readonly waiting: readonly string[];
}

export interface AgentStatus {
  readonly node: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  /** Every part has done its first work: routes programmed, status published. */
  readonly ready: boolean;
  /** Why not, in words; empty when ready. */
  readonly notReady: string;
  readonly datastore: { readonly connected: boolean; readonly since: string };
  readonly ipipBackend: "kernel" | "bpf" | "none";
  readonly accepts: readonly Encapsulation[];
  readonly sends: readonly Encapsulation[];
  readonly pools: Readonly<Record<string, AgentPoolStatus>>;
  /** Of the host's network and of its pods; absent before the first plan. */
  readonly mtu?: { readonly host: number; readonly pods: number };
  readonly peers: readonly AgentPeerStatus[];
  /** Of mode changes since the start: live probes, and breaches seen. */
  readonly guard: { readonly sent: number; readonly lost: number; readonly breaches: number };
  /** Passes since the start: a node at rest makes one every half minute. */
  readonly passes: number;
  readonly routes: { readonly programmed: number; readonly wanted: number };
  /** What the kernel refused, bad objects, and errors that are being retried. */
  readonly failures: readonly string[];
}

/** Answer of `GET /diff`: the plan of now against the kernel of now. */
export interface AgentDiff {
  readonly node: string;
  readonly equal: boolean;
  /** How many objects the plan holds. */
  readonly objects: number;
  readonly differences: readonly Difference[];
}
