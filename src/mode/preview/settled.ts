/**
 * What a node plans with when everybody has come where the pools are: all that a pass of its agent would read, as the
 * datastore and NodeHost tell it. Conversion and planning are the agents' own (room `facts`, room `plan`); only what
 * an agent reads of its kernel and hears by BGP is assumed here: every node accepts what the pools ask for, nothing
 * else is sent, and BGP tells of every block but those that NodeHost says it lacks.
 */

import { joinFacts, ownFacts, resolveMasks, type SharedFacts } from "../../facts/index.ts";
import {
  formatPrefix,
  isHostPrefix,
  type Prefix,
  parseAddress,
  parseIpv4,
  parseIpv6,
  parsePrefix,
  parsePrefixOrAddress,
  prefixCovers,
  prefixFamily,
} from "../../lib/index.ts";
import {
  type Encapsulation,
  encapsulations,
  type Node,
  type NodeHostStatus,
  type WorkloadEndpoint,
} from "../../model/index.ts";
import {
  addressOf,
  type HostFacts,
  type LearnedFacts,
  poolTunnel,
  type Snapshot,
  type UplinkFacts,
  withPeerWays,
} from "../../plan/index.ts";
import type { PreviewInput } from "./types.ts";

export interface SettledCluster {
  readonly shared: SharedFacts;
  /** With the tunnel addresses that they will have. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** Blocks that BGP would tell of, by who tells. */
  readonly told: readonly LearnedFacts[];
}

/** O(nodes + blocks). */
export function settledCluster(
  shared: SharedFacts,
  nodes: readonly Node[],
  view: PreviewInput["view"],
): SettledCluster {
  const byName = new Map(shared.nodes.map((node) => [node.name, node]));
  const silent = view.pools.flatMap(({ spec }) => {
    const prefix = spec.disableBGPExport ? parsePrefix(spec.cidr) : undefined;
    return prefix ? [formatPrefix(prefix)] : [];
  });
  const pods = podPrefixes(view.workloads);
  const told = shared.blocks.flatMap(({ prefix, node: name }): LearnedFacts[] => {
    const node = byName.get(name);
    const address = node && addressOf(node, prefixFamily(prefix));
    const pool = shared.pools.find((one) => prefixCovers(one.cidr, prefix));
    if (!address || !pool || silent.includes(formatPrefix(pool.cidr))) return [];
    return isTold(prefix, pods) ? [{ prefix, nextHop: address.address }] : [];
  });
  return {
    shared: {
      ...shared,
      nodes: shared.nodes.map((node) =>
        // A node that has never spoken would go on saying nothing.
        node.accepts === undefined ? node : { ...node, accepts: encapsulations },
      ),
    },
    nodes: new Map(nodes.map((node) => [node.metadata.name, node])),
    told,
  };
}

function podPrefixes(workloads: readonly WorkloadEndpoint[]): Set<string> {
  return new Set(
    workloads.flatMap(({ spec }) =>
      (spec.ipNetworks ?? []).flatMap((text) => {
        const prefix = parsePrefixOrAddress(text);
        return prefix ? [formatPrefix(prefix)] : [];
      }),
    ),
  );
}

/** Of single addresses only pods' are told of (src/agent/peering/own-prefixes.ts). */
function isTold(prefix: Prefix, pods: ReadonlySet<string>): boolean {
  return !isHostPrefix(prefix) || pods.has(formatPrefix(prefix));
}

type SettingsView = "felixConfigurations" | "bgpConfigurations" | "bgpPeers" | "nodes";

export interface SettledNode extends Pick<PreviewInput["view"], SettingsView> {
  readonly node: string;
  readonly host: HostFacts;
  readonly bgp: NodeHostStatus["bgp"];
  /** Of this node. */
  readonly workloads: readonly WorkloadEndpoint[];
  /** What it sends already. */
  readonly current: ReadonlyMap<string, Encapsulation>;
}

/** O(nodes + blocks). */
export function settledSnapshot(cluster: SettledCluster, own: SettledNode): Snapshot {
  const { node, host, bgp, current } = own;
  const facts = joinFacts(cluster.shared, ownFacts(own, node));
  const { nodes } = resolveMasks({ node, ...facts, host });
  const spec = cluster.nodes.get(node)?.spec;
  const ipip = parseIpv4(spec?.bgp?.ipv4IPIPTunnelAddr ?? "");
  const vxlan = parseIpv4(spec?.ipv4VXLANTunnelAddr ?? "");
  const vxlan6 = parseIpv6(spec?.ipv6VXLANTunnelAddr ?? "");
  const missing = new Set(bgp?.missing.blocks);
  const tunnels = facts.pools.flatMap((pool) => poolTunnel(pool) ?? []);
  return {
    node,
    ...facts,
    nodes,
    learned: bgp ? without(cluster.told, missing) : [],
    host: withPeerWays(host, facts.settings),
    ...(ipip !== undefined && { ipipTunnelAddress: ipip }),
    ...(vxlan !== undefined && { vxlanTunnelAddress: vxlan }),
    ...(vxlan6 !== undefined && { vxlan6TunnelAddress: vxlan6 }),
    receive: [...new Set(tunnels)],
    announced: encapsulations,
    current,
    keepUnplannedRoutes: false,
  };
}

function without(told: readonly LearnedFacts[], missing: ReadonlySet<string>) {
  return missing.size === 0
    ? told
    : told.filter(({ prefix }) => !missing.has(formatPrefix(prefix)));
}

/** The host as its agent published it. @throws RangeError for what cannot be read. */
export function publishedHost(status: NodeHostStatus): HostFacts | undefined {
  const { uplink, uplink6, interfaces, routes } = status;
  if (!uplink) return undefined;
  return {
    uplink: withoutUndefined(uplink),
    ...(uplink6 && { uplink6: withoutUndefined(uplink6) }),
    interfaces,
    routes: routes.flatMap(({ destination, gateway, device }) => {
      const prefix = parsePrefix(destination);
      const hop = parseAddress(gateway ?? "");
      return prefix
        ? [{ destination: prefix, device, ...(hop !== undefined && { gateway: hop }) }]
        : [];
    }),
  };
}

function withoutUndefined({
  prefixLength,
  ...device
}: NonNullable<NodeHostStatus["uplink"]>): UplinkFacts {
  return { ...device, ...(prefixLength !== undefined && { prefixLength }) };
}
