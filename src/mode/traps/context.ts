/** What several checks ask of the same change and the same nodes, found out once. O(nodes). */

import { clusterRoutes, effectiveSpec, nodeAddresses, nodeSettings } from "../../facts/index.ts";
import {
  errorText,
  formatPrefix,
  isPrefix4,
  maskPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
} from "../../lib/index.ts";
import {
  type IPPoolSpec,
  type ModeName,
  modeFields,
  type Node,
  poolMode,
} from "../../model/index.ts";
import {
  encapsulationMtus,
  type HostRoute,
  poolTunnel,
  routeSourceOf,
  type Settings,
} from "../../plan/index.ts";
import type { TrapContext, TrapInput, TrapNode } from "./types.ts";

export function trapContext(input: TrapInput): TrapContext {
  const { spec, view } = input;
  const pool = view.pools.find(({ metadata }) => metadata.name === spec.pool);
  const cidr = pool && parsePrefix(pool.spec.cidr);
  const to = spec.to;
  const oldTunnel = cidr && tunnelOf(cidr, pool.spec);
  const tunnel = cidr && to && tunnelOf(cidr, modeFields(to));
  const stored = effectiveSpec(view.bgpConfigurations, "").nodeToNodeMeshEnabled !== false;
  return {
    ...input,
    nodes: trapNodes(input),
    ...(pool && { pool, from: poolMode(pool.spec) }),
    ...(cidr && { cidr }),
    ...(to && { to }),
    family: cidr && !isPrefix4(cidr) ? 6 : 4,
    ...(oldTunnel && { oldTunnel }),
    ...(tunnel && { tunnel }),
    needsBgp: spec.mesh !== undefined || (to !== undefined && bringsBgp(to, view)),
    mesh: spec.mesh === undefined ? stored : spec.mesh === "on",
    felix: effectiveSpec(view.felixConfigurations, ""),
  };
}

/** Where everything is VXLAN all routes come from the datastore, others where they are told to. */
function bringsBgp(to: ModeName, view: TrapInput["view"]): boolean {
  if (to === "vxlan") return false;
  const routes = clusterRoutes(view, "");
  const source = routeSourceOf(modeFields(to), routes ? { clusterRoutes: routes } : {});
  return source === "bgp";
}

function tunnelOf(
  cidr: Prefix,
  { ipipMode, vxlanMode }: Pick<IPPoolSpec, "ipipMode" | "vxlanMode">,
) {
  return poolTunnel({ cidr, ipipMode: ipipMode ?? "Never", vxlanMode: vxlanMode ?? "Never" });
}

function trapNodes({ view, nodeHosts }: TrapInput): TrapNode[] {
  const hosts = new Map(nodeHosts.map(({ metadata, status }) => [metadata.name, status]));
  const modes = new Map(view.nodeModes.map(({ metadata, status }) => [metadata.name, status]));
  return view.nodes.map((node) => {
    const { name } = node.metadata;
    const host = hosts.get(name);
    const mode = modes.get(name);
    return { name, node, ...addressesOf(node), ...(host && { host }), ...(mode && { mode }) };
  });
}

function addressesOf(node: Node): Pick<TrapNode, "addresses" | "unreadable"> {
  try {
    return { addresses: nodeAddresses(node) };
  } catch (error) {
    return { addresses: {}, unreadable: errorText(error) };
  }
}

/** The node's address in the family of the pool. */
export function addressIn({ family }: TrapContext, { addresses }: TrapNode): Prefix | undefined {
  return family === 4 ? addresses.ipv4 : addresses.ipv6;
}

/** The device that holds it. */
export function uplinkIn({ family }: TrapContext, { host }: TrapNode) {
  return family === 4 ? host?.uplink : (host?.uplink6 ?? host?.uplink);
}

/** The node's subnet by the mask that counts: what is stored, or without a mask what its device has. */
export function subnetOf(context: TrapContext, node: TrapNode): string | undefined {
  const address = addressIn(context, node);
  if (address === undefined) return undefined;
  const bare = address.length === (context.family === 4 ? 32 : 128);
  const length = bare ? (uplinkIn(context, node)?.prefixLength ?? address.length) : address.length;
  return formatPrefix(maskPrefix({ address: address.address, length }));
}

/** The largest packet that each encapsulation carries from this node; without the MTUs that an operator gave. */
export function mtusOf(context: TrapContext, { name, host }: TrapNode) {
  if (!host) return undefined;
  const settings = settingsOf(context, name);
  const found = { ...settings, ipipMtu: 0, vxlanMtu: 0, vxlan6Mtu: 0 };
  return { given: encapsulationMtus(host, settings), found: encapsulationMtus(host, found) };
}

function settingsOf({ view }: TrapContext, node: string): Settings {
  return nodeSettings(view, node, []);
}

/** The host's routes to other nodes, as the planner takes them; what cannot be read is left out. */
export function hostRoutes({ host }: TrapNode): HostRoute[] {
  return (host?.routes ?? []).flatMap(({ destination, gateway, device }) => {
    const prefix = parsePrefix(destination);
    const hop = parseAddress(gateway ?? "");
    return prefix
      ? [{ destination: prefix, device, ...(hop !== undefined && { gateway: hop }) }]
      : [];
  });
}
