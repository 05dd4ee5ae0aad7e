/** What a change would do, as data: for people through `mode plan`, for programs through its JSON. */

import type { ClusterView } from "../../facts/index.ts";
import type { Encapsulation, ModeChangeSpec, NodeHost } from "../../model/index.ts";
import type { Difference } from "../../plan/index.ts";

export interface PreviewInput {
  readonly spec: ModeChangeSpec;
  readonly view: ClusterView;
  readonly nodeHosts: readonly NodeHost[];
  /** So many nodes are planned in full; of the rest, only which routes move. 16 unless told. */
  readonly detailedNodes?: number;
}

export const groups = ["routes", "devices", "addresses", "firewall", "sysctls"] as const;
export type Group = (typeof groups)[number];

export interface Counts {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** Routes that go another way, all of one kind. */
export interface Move {
  readonly from: Encapsulation;
  readonly to: Encapsulation;
  readonly routes: number;
}

export interface NodePreview {
  readonly node: string;
  readonly moves: readonly Move[];
  /** Routes to other nodes' blocks that stay as they are. */
  readonly unmoved: number;
  /** Largest packet of a pod; devices of pods follow, where the agent does that. */
  readonly podMtu: { readonly before: number; readonly after: number };
  /** Sessions of BGP: a change of a pool's mode leaves them as they are. */
  readonly bgpSessions: number;
  /** What would keep routes from what the mode asks for. */
  readonly waiting: readonly string[];
  /** Of a node that is planned in full. */
  readonly detail?: NodeDetail;
}

export interface NodeDetail {
  readonly counts: Readonly<Record<Group, Counts>>;
  /** In the plan's order: `missing` is added, `unplanned` is removed, `differs` is altered. */
  readonly differences: readonly (Difference & { readonly group: Group })[];
}

export interface ProofPreview {
  readonly pairs: number;
  readonly possible: number;
  readonly sampled: boolean;
  /** Ordered pairs of subnets that are covered. */
  readonly subnetPairs: number;
}

export interface DurationPart {
  readonly phase: string;
  readonly ms: number;
  /** How it is reckoned. */
  readonly because: string;
}

/** Of a change of the mesh. */
export interface MeshPreview {
  readonly nodes: readonly {
    readonly node: string;
    /** That it is to have now. */
    readonly sessions: number;
    /** With reflectors and routers: they stay. No more than its NodeHost tells of. */
    readonly outside: readonly {
      readonly address: string;
      readonly kind: string;
      readonly state: string;
    }[];
    /** Sessions of the mesh that are added, and that end. */
    readonly comes: number;
    readonly goes: number;
  }[];
  readonly unforeseen: ChangePreview["unforeseen"];
  readonly waves: ChangePreview["waves"];
  readonly duration: ChangePreview["duration"];
}

export interface ChangePreview {
  readonly nodes: readonly NodePreview[];
  /** Nodes that cannot be foreseen, and why. */
  readonly unforeseen: readonly { readonly node: string; readonly why: string }[];
  /** Over all nodes. */
  readonly moves: readonly (Move & { readonly nodes: number })[];
  /** Over the nodes that are planned in full. */
  readonly counts: Readonly<Record<Group, Counts>>;
  /** Absent where nothing is proved. */
  readonly proof?: ProofPreview;
  readonly waves: readonly (readonly string[])[];
  readonly duration: { readonly ms: number; readonly parts: readonly DurationPart[] };
}
