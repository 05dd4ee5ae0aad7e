/** What a check for one trap is given, and what it finds. */

import type { ClusterView, NodeAddresses, Tunnel } from "../../facts/index.ts";
import type { Family, Prefix } from "../../lib/index.ts";
import type {
  IPAMBlock,
  IPPool,
  ModeChangeSpec,
  ModeName,
  NetworkMode,
  Node,
  NodeHost,
  NodeHostStatus,
  NodeModeStatus,
  SpecOf,
  Trap,
} from "../../model/index.ts";

export interface TrapInput {
  readonly spec: Pick<ModeChangeSpec, "pool" | "to" | "blocks" | "mesh">;
  readonly view: Pick<
    ClusterView,
    | "nodes"
    | "pools"
    | "affinities"
    | "bgpConfigurations"
    | "bgpPeers"
    | "bgpFilters"
    | "felixConfigurations"
    | "nodeModes"
    | "modeChanges"
  >;
  readonly nodeHosts: readonly NodeHost[];
  /** With their allocations; without them nobody looks whether addresses are left. */
  readonly blocks?: readonly IPAMBlock[];
  /** Name of the change that asks: it does not stand in its own way. */
  readonly change?: string;
}

export interface TrapNode {
  readonly name: string;
  readonly node: Node;
  /** None where what is stored cannot be read; `unreadable` says why. */
  readonly addresses: NodeAddresses;
  readonly unreadable?: string;
  readonly host?: NodeHostStatus;
  readonly mode?: NodeModeStatus;
}

export interface TrapContext extends TrapInput {
  readonly nodes: readonly TrapNode[];
  /** Of the change, if there is such a pool. */
  readonly pool?: IPPool;
  readonly cidr?: Prefix;
  readonly family: Family;
  readonly from?: NetworkMode;
  readonly to?: ModeName;
  /** What the pool may send now, and what it may send then; undefined: nothing but plain packets. */
  readonly oldTunnel?: Tunnel;
  readonly tunnel?: Tunnel;
  /** Some routes of the new mode are plain, or IP-in-IP: BGP brings these. */
  readonly needsBgp: boolean;
  /** The node-to-node mesh is on when the change is done. */
  readonly mesh: boolean;
  readonly felix: Partial<SpecOf<"FelixConfiguration">>;
}

export interface Finding {
  readonly severity: Trap["severity"];
  readonly message: string;
  readonly nodes: readonly string[];
  /** More to the point than that of the kind. */
  readonly remedy?: string;
}

export interface TrapKind {
  /** Never renamed, and never given another meaning: operators accept traps by it. */
  readonly code: string;
  /** One or two sentences for the reference. */
  readonly meaning: string;
  readonly remedy: string;
  find(context: TrapContext): readonly Finding[];
}
