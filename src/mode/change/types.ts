/** What the state machine of a change sees, and what it answers. */

import type {
  BGPConfiguration,
  IPPool,
  ModeChange,
  ModeChangeStatus,
  ModeEvidence,
  Node,
  NodeMode,
  Trap,
  Verdict,
} from "../../model/index.ts";

/** What is observed: current as far as the datastore's watches tell, in one piece. */
export interface World {
  /** The pool of the change; undefined: there is none of that name. */
  readonly pool: IPPool | undefined;
  /** BGPConfiguration `default`, which says whether there is a mesh. */
  readonly mesh: BGPConfiguration | undefined;
  readonly nodes: readonly Node[];
  /** By node. */
  readonly nodeModes: ReadonlyMap<string, NodeMode>;
  /** Of this change, by node. */
  readonly evidence: ReadonlyMap<string, ModeEvidence>;
  /** The one change that may change this pool; asked for while a change is being planned only. */
  readonly holder: string | undefined;
  /** The one change that nodes are probed for; asked for likewise. */
  readonly probedFor: string | undefined;
  /** The datastore's words when it refused the commit for what it says, not for a race. */
  readonly commitRefused: string | undefined;
  /** A judge failed with these words when it was asked. */
  readonly fault: string | undefined;
  readonly findTraps: () => readonly Trap[];
  readonly judgeProof: () => readonly Verdict[];
}

export interface Moment {
  /** For the reader's times and `confirmBy`. */
  readonly wallMs: number;
  /** How long this driver has seen the change in this stage, by its monotonic clock. */
  readonly stageForMs: number;
  /** 32 random bytes in hex, for the orders of a change that begins. */
  readonly key: string;
}

export type Advance =
  /** Nothing to do before the world changes or that much time has passed. */
  | { readonly kind: "wait"; readonly wakeInMs: number | undefined }
  | { readonly kind: "status"; readonly status: ModeChangeStatus }
  /** The commit: a compare-and-swap of the pool, or of what says whether there is a mesh. */
  | { readonly kind: "commit"; readonly resource: IPPool | BGPConfiguration };

/** A change being advanced: its status is there, and it has not ended. */
export interface Running {
  readonly change: ModeChange;
  readonly status: ModeChangeStatus;
  readonly world: World;
  readonly moment: Moment;
}
