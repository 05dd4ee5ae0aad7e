/** The local node as its peerings see it. */

import type { PeerConfig } from "../../bgp/index.ts";
import { type ClusterView, effectiveSpec } from "../../facts/index.ts";
import { type Family, familyOf, type IpAddress } from "../../lib/index.ts";
import type { Node } from "../../model/index.ts";
import type { ExportPolicies } from "./export-policy.ts";

export const DEFAULT_AS = 64512;
export const DEFAULT_PORT = 179;

export interface Local {
  readonly node: Node;
  readonly addresses: readonly IpAddress[];
  readonly as: number;
  readonly exports: ExportPolicies;
}

/** What sessions are made from. */
export interface Peerings {
  readonly view: ClusterView;
  readonly local: Local;
  /** Of nodes that say nothing else. */
  readonly globalAs: number;
  readonly problems: string[];
}

/** 0, which stands for no AS (RFC 7607), is none that is set. */
export function asOf({ spec }: Node, globalAs: number): number {
  return Number(spec.bgp?.asNumber || globalAs);
}

/** Of the node, in the family of the other end: Calico keeps a session, and a daemon, per family. */
export function localAddress({ addresses }: Local, other: IpAddress): IpAddress | undefined {
  return addresses.find((address) => familyOf(address) === familyOf(other));
}

export const sessionFamilies: Record<Family, PeerConfig["families"] & {}> = {
  4: ["ipv4-unicast"],
  6: ["ipv6-unicast"],
};

/** Where a node listens. */
export function listenPort(view: ClusterView, node: string): number {
  return effectiveSpec(view.bgpConfigurations, node).listenPort ?? DEFAULT_PORT;
}
