/**
 * From resources to the planner's facts. One bad object is left out and named; it never takes
 * down the rest.
 */

import {
  errorText,
  type Ipv4,
  isMasked,
  isPrefix4,
  maskPrefix,
  type Prefix4,
  parseIpv4,
  parsePrefix,
  parsePrefixOrAddress,
} from "../lib/index.ts";
import type { IPPool, Node, NodeMode } from "../model/index.ts";
import {
  type BlockFacts,
  DEFAULT_MTU_IFACE_PATTERN,
  type NodeFacts,
  type PoolFacts,
  type Settings,
  type WorkloadFacts,
} from "../plan/index.ts";
import { type ClusterView, effectiveSpec } from "./view.ts";

export interface ClusterFacts {
  readonly nodes: readonly NodeFacts[];
  readonly pools: readonly PoolFacts[];
  readonly blocks: readonly BlockFacts[];
  readonly workloads: readonly WorkloadFacts[];
  readonly settings: Settings;
  /** Objects that could not be used, and why. */
  readonly problems: readonly string[];
}

/** `vxlanMac` derives a node's VTEP MAC from its name (it hashes, which a pure module does not). */
export function clusterFacts(
  view: ClusterView,
  node: string,
  vxlanMac: (node: string) => string,
): ClusterFacts {
  const problems: string[] = [];
  const collect = <T, F>(items: readonly T[], convert: (item: T) => F | undefined): F[] =>
    items.flatMap((item) => {
      try {
        const fact = convert(item);
        return fact === undefined ? [] : [fact];
      } catch (error) {
        problems.push(errorText(error));
        return [];
      }
    });
  const modes = new Map(view.nodeModes.map((mode) => [mode.metadata.name, mode]));
  return {
    nodes: collect(view.nodes, (item) => nodeFacts(item, modes.get(item.metadata.name), vxlanMac)),
    pools: collect(view.pools, poolFacts),
    blocks: collect(view.affinities, ({ metadata, spec }): BlockFacts | undefined => {
      if (spec.type === "virtual" || isDeleted(spec.deleted)) return undefined;
      // An empty state is an affinity of old, which was always confirmed.
      if (spec.state !== "confirmed" && spec.state !== "") return undefined;
      const prefix = parsePrefix(spec.cidr);
      if (!prefix) throw new RangeError(`BlockAffinity ${metadata.name}: bad cidr ${spec.cidr}`);
      return isPrefix4(prefix) ? { prefix, node: spec.node } : undefined;
    }),
    workloads: collect(
      view.workloads.filter((workload) => workload.spec.node === node),
      ({ metadata, spec }): WorkloadFacts | undefined => {
        for (const network of spec.ipNetworks ?? []) {
          const prefix = parsePrefixOrAddress(network);
          if (!prefix)
            throw new RangeError(`WorkloadEndpoint ${metadata.name}: bad network ${network}`);
          if (isPrefix4(prefix) && spec.interfaceName) {
            return { address: prefix.address, device: spec.interfaceName };
          }
        }
        return undefined;
      },
    ),
    settings: settings(view, node, problems),
    problems,
  };
}

function isDeleted(deleted: boolean | string | undefined): boolean {
  return deleted === true || deleted === "true";
}

/** The node's IPv4 address with its mask; a stored bare address is a /32 (as Felix takes it). */
export function nodeAddress(node: Node): Prefix4 | undefined {
  const text = node.spec.bgp?.ipv4Address;
  if (!text) return undefined;
  const prefix = parsePrefixOrAddress(text);
  if (!prefix || !isPrefix4(prefix)) {
    throw new RangeError(`Node ${node.metadata.name}: bad spec.bgp.ipv4Address ${text}`);
  }
  return prefix;
}

function nodeFacts(
  node: Node,
  mode: NodeMode | undefined,
  vxlanMac: (node: string) => string,
): NodeFacts | undefined {
  const { name } = node.metadata;
  const address = nodeAddress(node);
  if (!address) return undefined;
  const vtep = parseIpv4(node.spec.ipv4VXLANTunnelAddr ?? "");
  return {
    name,
    ipv4: {
      address: address.address,
      prefixLength: address.length,
      ...(vtep !== undefined && { vxlanTunnelAddress: vtep }),
      vxlanMac: (node.spec.vxlanTunnelMACAddr ?? vxlanMac(name)).toLowerCase(),
    },
    ...(mode?.status && { accepts: mode.status.accepts }),
  };
}

function poolFacts({ metadata, spec }: IPPool): PoolFacts | undefined {
  const prefix = parsePrefix(spec.cidr);
  if (!prefix || !isMasked(prefix))
    throw new RangeError(`IPPool ${metadata.name}: bad cidr ${spec.cidr}`);
  if (!isPrefix4(prefix)) return undefined;
  const uses = spec.allowedUses ?? [];
  return {
    name: metadata.name,
    cidr: maskPrefix(prefix),
    ipipMode: spec.ipipMode ?? "Never",
    vxlanMode: spec.vxlanMode ?? "Never",
    natOutgoing: spec.natOutgoing ?? false,
    loadBalancerOnly: uses.length === 1 && uses[0] === "LoadBalancer",
  };
}

const RTPROT_BIRD = 12;
const RTPROT_FELIX = 80;

function settings(view: ClusterView, node: string, problems: string[]): Settings {
  const felix = effectiveSpec(view.felixConfigurations, node);
  const snat = optionalIpv4(felix.natOutgoingAddress, "natOutgoingAddress", problems);
  const externalNodes = (felix.externalNodesList ?? []).flatMap((text) => {
    const prefix = parsePrefixOrAddress(text);
    if (prefix && isPrefix4(prefix)) return [prefix];
    problems.push(`FelixConfiguration: bad entry ${text} in externalNodesList`);
    return [];
  });
  return {
    vxlanVni: felix.vxlanVNI ?? 4096,
    vxlanPort: felix.vxlanPort ?? 4789,
    mtuIfacePattern: mtuIfacePattern(felix.mtuIfacePattern, problems),
    ipipMtu: felix.ipipMTU ?? 0,
    vxlanMtu: felix.vxlanMTU ?? 0,
    vxlan6Mtu: felix.vxlanMTUV6 ?? 0,
    bgpProtocol: RTPROT_BIRD,
    datastoreProtocol: RTPROT_FELIX,
    ...(felix.natPortRange !== undefined && { natPortRange: String(felix.natPortRange) }),
    ...(snat !== undefined && { natOutgoingAddress: snat }),
    natExcludesHosts: felix.natOutgoingExclusions === "IPPoolsAndHostIPs",
    externalNodes,
  };
}

/** The pattern was checked when it was stored, as Go reads it: JavaScript may still not. */
function mtuIfacePattern(text: string | undefined, problems: string[]): string {
  if (!text) return DEFAULT_MTU_IFACE_PATTERN;
  try {
    new RegExp(text);
    return text;
  } catch (error) {
    problems.push(
      `FelixConfiguration: bad mtuIfacePattern ${text} (${errorText(error)}); the default is used`,
    );
    return DEFAULT_MTU_IFACE_PATTERN;
  }
}

function optionalIpv4(
  text: string | undefined,
  field: string,
  problems: string[],
): Ipv4 | undefined {
  if (!text) return undefined;
  const address = parseIpv4(text);
  if (address === undefined) problems.push(`FelixConfiguration: bad ${field} ${text}`);
  return address;
}
