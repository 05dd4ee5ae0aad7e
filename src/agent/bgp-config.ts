/**
 * From resources to the speaker's configuration: the node-to-node mesh and the BGPPeers, as
 * Calico's confd makes them for BIRD.
 */

import type { OriginatedRoute, PeerConfig, PolicyRule, SpeakerConfig } from "../bgp/index.ts";
import {
  type ClusterView,
  effectiveSpec,
  type NodeAddresses,
  nodeAddresses,
} from "../facts/index.ts";
import {
  type Family,
  familyOf,
  formatAddress,
  hostPrefix,
  type IpAddress,
  type Ipv4,
  isHostPrefix,
  isIpv4,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixCovers,
} from "../lib/index.ts";
import { type MeshOrders, meshOrders } from "../mode/index.ts";
import { type BGPPeer, type Node, parseSelector } from "../model/index.ts";
import type { BlockFacts, WorkloadFacts } from "../plan/index.ts";
import { type SecretReader, seconds, sessionOptions } from "./bgp-session-options.ts";
import { unsupportedConfigurationFields, unsupportedPeerFields } from "./unsupported.ts";

/** Calico's words for where a peering comes from. */
export type PeeringType = "node-to-node mesh" | "global" | "node specific";

export interface BgpPlan {
  readonly config: SpeakerConfig;
  readonly types: ReadonlyMap<string, PeeringType>;
  readonly mesh: MeshPlan;
  /** BGPPeers that could not be used, and why. */
  readonly problems: readonly string[];
}

export interface MeshPlan extends Omit<MeshOrders, "sharedWith" | "added"> {
  /** Nodes that take no sessions of the mesh yet, and so are not dialled. */
  readonly closed: readonly string[];
}

const DEFAULT_AS = 64512;
const DEFAULT_PORT = 179;
/** BIRD's own, which Calico leaves as it is. */
const DEFAULT_RESTART_SECONDS = 120;

interface Local {
  readonly node: Node;
  readonly addresses: readonly IpAddress[];
  readonly as: number;
  readonly port: number;
  readonly exportPolicy: readonly PolicyRule[];
}

export interface BgpPlanInput {
  readonly view: ClusterView;
  /** Name of the local node. */
  readonly node: string;
  readonly blocks: readonly BlockFacts[];
  /** Of the local node. */
  readonly workloads: readonly WorkloadFacts[];
  /** A router id from the node's name, for a node without an IPv4 address. */
  readonly hashedRouterId: (node: string) => Ipv4;
  readonly secret: SecretReader;
}

/** `undefined` while the node has no BGP address: nothing to speak with. */
export function bgpPlan(input: BgpPlanInput): BgpPlan | undefined {
  const { view, node: name } = input;
  const node = view.nodes.find((candidate) => candidate.metadata.name === name);
  if (!node) return undefined;
  const { ipv4, ipv6 } = nodeAddresses(node);
  const addresses = [ipv4, ipv6].flatMap((prefix) => (prefix ? [prefix.address] : []));
  if (addresses.length === 0) return undefined;
  const problems: string[] = [];
  const settings = effectiveSpec(view.bgpConfigurations, name);
  const globals = effectiveSpec(view.bgpConfigurations, "");
  const globalAs = Number(globals.asNumber ?? DEFAULT_AS);
  const exported = view.pools.filter((pool) => !pool.spec.disableBGPExport).flatMap(poolPrefix);
  const local: Local = {
    node,
    addresses,
    as: Number(node.spec.bgp?.asNumber ?? globalAs),
    port: settings.listenPort ?? DEFAULT_PORT,
    exportPolicy: exportPolicy(exported),
  };
  const peers = new Map<string, PeerConfig>();
  const types = new Map<string, PeeringType>();
  const add = (peer: PeerConfig, type: PeeringType) => {
    // A global peering suppresses a node-specific one, and both a mesh one, to the same address; what a node is told
    // itself goes before what others are.
    const taken = [...peers.values()].find((other) => other.address === peer.address);
    if (taken && taken.port !== peer.port) {
      problems.push(`${peer.name}: there is a session with that address already, ${taken.name}`);
    }
    if (taken || addresses.includes(peer.address)) return;
    peers.set(peer.name, peer);
    types.set(peer.name, type);
  };
  const selected = view.bgpPeers.filter((peer) => selectsNode(peer, node, problems));
  problems.push(
    ...unsupportedConfigurationFields(globals),
    ...selected.flatMap(unsupportedPeerFields),
  );
  const isGlobal = (peer: BGPPeer) => !peer.spec.node && !peer.spec.nodeSelector;
  for (const peer of [...selected].sort((a, b) => Number(isGlobal(b)) - Number(isGlobal(a)))) {
    const type = isGlobal(peer) ? "global" : "node specific";
    const { metadata, spec } = peer;
    const object = `BGPPeer ${metadata.name}`;
    const session = sessionOptions(spec, { object, secret: input.secret, problems });
    for (const config of explicitPeers({ peer, type, view, local, globalAs, problems })) {
      add({ ...config, ...session }, type);
    }
  }
  // Those of the other end come last: whoever names this node is to be answered by it.
  for (const peer of view.bgpPeers) {
    if (!isReversed(peer, node)) continue;
    const { metadata, spec } = peer;
    const kind = isGlobal(peer) ? "Global" : "Node";
    const object = `BGPPeer ${metadata.name}`;
    const session = sessionOptions(spec, { object, secret: input.secret, problems });
    for (const other of view.nodes) {
      if (!selectsNode(peer, other, problems)) continue;
      for (const config of nodePeers({ kind, node: other, view, local, globalAs })) {
        add({ ...config, ...session }, isGlobal(peer) ? "global" : "node specific");
      }
    }
  }
  const { sharedWith, added, ...mesh } = meshOrders({ ...view, node: name });
  const closed = added ? closedNodes(view) : noNodes;
  const undialled: string[] = [];
  if (mesh.open) {
    const { nodeMeshPassword: password, nodeMeshMaxRestartTime: maxRestartTime } = globals;
    const session = sessionOptions(
      { ...(password && { password }), ...(maxRestartTime && { maxRestartTime }) },
      { object: "BGPConfiguration", secret: input.secret, problems },
    );
    for (const { other, configs } of meshPeers(view, local, globalAs)) {
      if (!sharedWith(other)) continue;
      for (const config of configs) {
        if (config.passive || !closed.has(other)) {
          add({ ...config, ...session }, "node-to-node mesh");
        } else undialled.push(other);
      }
    }
  }
  const reflector = parseAddress(node.spec.bgp?.routeReflectorClusterID ?? "");
  const clusterId = reflector !== undefined && isIpv4(reflector) ? reflector : undefined;
  const originate: OriginatedRoute[] = ownPrefixes(input)
    .filter((prefix) => exported.some((pool) => prefixCovers(pool, prefix)))
    .map((prefix) => ({ prefix }));
  return {
    config: {
      localAs: local.as,
      routerId: ipv4?.address ?? input.hashedRouterId(name),
      ...(clusterId && { clusterId }),
      listen: [
        {
          port: local.port,
          ...(settings.bindMode === "NodeIP" && { addresses }),
        },
      ],
      gracefulRestart: { restartTimeSeconds: DEFAULT_RESTART_SECONDS },
      peers: [...peers.values()],
      originate,
    },
    types,
    mesh: { ...mesh, closed: [...new Set(undialled)] },
    problems,
  };
}

const noNodes: ReadonlySet<string> = new Set();

/** With an agent of ours that does not take sessions of the mesh: one that dialled them would be sent away. */
function closedNodes({ nodeModes }: ClusterView): ReadonlySet<string> {
  const closed = nodeModes.filter(({ status }) => status && !status.mesh?.open);
  return new Set(closed.map(({ metadata }) => metadata.name));
}

function poolPrefix(pool: { readonly spec: { readonly cidr: string } }): Prefix[] {
  const prefix = parsePrefix(pool.spec.cidr);
  return prefix ? [prefix] : [];
}

/**
 * Blocks, and the addresses of pods outside of them: borrowed from another node's block, or in a block
 * of one address, which says nothing as long as nobody uses it.
 */
function ownPrefixes({ node, blocks, workloads }: BgpPlanInput): Prefix[] {
  const own = blocks.flatMap((block) => (block.node === node ? [block.prefix] : []));
  const wide = own.filter((prefix) => !isHostPrefix(prefix));
  const outside = workloads
    .map(({ address }) => hostPrefix(address))
    .filter((pod) => !wide.some((prefix) => prefixCovers(prefix, pod)));
  return [...wide, ...outside];
}

/** Of the node, in the family of the other end: Calico keeps a session, and a daemon, per family. */
function localAddress({ addresses }: Local, other: IpAddress): IpAddress | undefined {
  return addresses.find((address) => familyOf(address) === familyOf(other));
}

const sessionFamilies: Record<Family, PeerConfig["families"] & {}> = {
  4: ["ipv4-unicast"],
  6: ["ipv6-unicast"],
};

/** Own blocks and addresses of exported pools go out; what routers taught us does not. */
function exportPolicy(exported: readonly Prefix[]): PolicyRule[] {
  return [
    { source: "originated", action: "accept" },
    ...(exported.length > 0
      ? [{ prefixes: exported.map((prefix) => ({ prefix })), action: "accept" } as const]
      : []),
    { action: "reject" },
  ];
}

/** Any value above 0, which a route without MULTI_EXIT_DISC counts as (RFC 4271 section 9.1.2.2 c). */
const RELAYED_MED = 100;

/**
 * A router that peers with every node must prefer a block's own node to those that relay its route: both
 * paths are equally long, and the next tie-break would send everything through one node, in plain mode
 * even round in circles.
 */
function externalPolicy(policy: readonly PolicyRule[]): PolicyRule[] {
  return policy.flatMap((rule) =>
    rule.action === "accept" && rule.source === undefined
      ? [{ ...rule, source: "ibgp" as const, set: { ...rule.set, med: RELAYED_MED } }, rule]
      : [rule],
  );
}

const peerName = (kind: string, address: IpAddress, port: number) =>
  `${kind}_${formatAddress(address).replace(/[.:]/g, "_")}${port === DEFAULT_PORT ? "" : `_port_${port}`}`;

interface MeshPeers {
  readonly other: string;
  readonly configs: readonly PeerConfig[];
}

function meshPeers(view: ClusterView, local: Local, globalAs: number): MeshPeers[] {
  if (local.node.spec.bgp?.routeReflectorClusterID) return [];
  return view.nodes.flatMap((node) => {
    if (node.metadata.name === local.node.metadata.name) return [];
    if (node.spec.bgp?.routeReflectorClusterID) return [];
    const configs = nodePeers({ kind: "Mesh", node, view, local, globalAs });
    return [{ other: node.metadata.name, configs }];
  });
}

function nodeWith(view: ClusterView, address: IpAddress): Node | undefined {
  return view.nodes.find((node) => {
    const { ipv4, ipv6 } = safeAddresses(node);
    return ipv4?.address === address || ipv6?.address === address;
  });
}

function safeAddresses(node: Node): NodeAddresses {
  try {
    return nodeAddresses(node);
  } catch {
    return {};
  }
}

interface NodePeerOptions {
  readonly kind: string;
  readonly node: Node;
  readonly view: ClusterView;
  readonly local: Local;
  readonly globalAs: number;
}

/** One session for each family that both have. */
function nodePeers({ kind, node, view, local, globalAs }: NodePeerOptions): PeerConfig[] {
  const port = effectiveSpec(view.bgpConfigurations, node.metadata.name).listenPort ?? DEFAULT_PORT;
  const { ipv4, ipv6 } = safeAddresses(node);
  const remoteAs = Number(node.spec.bgp?.asNumber ?? globalAs);
  return [ipv4, ipv6].flatMap((prefix): PeerConfig[] => {
    const address = prefix?.address;
    const own = address === undefined ? undefined : localAddress(local, address);
    if (address === undefined || own === undefined || own === address) return [];
    return [
      {
        name: peerName(kind, address, port),
        address,
        port,
        remoteAs,
        ...(reflects(local, remoteAs, node) && { routeReflectorClient: true }),
        localAddress: own,
        families: sessionFamilies[familyOf(address)],
        // Both ends know each other, so one of them dials: the one whose address sorts higher as text.
        passive: kind !== "Node" && formatAddress(address) > formatAddress(own),
        exportPolicy: local.exportPolicy,
      },
    ];
  });
}

/**
 * A node with a cluster id reflects routes to internal peers outside of its cluster (RFC 4456); who has
 * the same one is another reflector of the same clients. What an address stands for is looked up too.
 */
function reflects(
  { node: { spec }, as }: Local,
  remoteAs: number,
  peer: Node | undefined,
): boolean {
  const own = spec.bgp?.routeReflectorClusterID;
  return Boolean(own) && remoteAs === as && peer?.spec.bgp?.routeReflectorClusterID !== own;
}

interface ExplicitOptions {
  readonly peer: BGPPeer;
  readonly type: PeeringType;
  readonly view: ClusterView;
  readonly local: Local;
  readonly globalAs: number;
  readonly problems: string[];
}

function explicitPeers({
  peer,
  type,
  view,
  local,
  globalAs,
  problems,
}: ExplicitOptions): PeerConfig[] {
  const kind = type === "global" ? "Global" : "Node";
  const { spec, metadata } = peer;
  if (spec.peerSelector) {
    const matches = selectorMatcher(spec.peerSelector, metadata.name, problems);
    return view.nodes.flatMap((node) =>
      matches(node) ? nodePeers({ kind, node, view, local, globalAs }) : [],
    );
  }
  if (!spec.peerIP) return [];
  const endpoint = parseEndpoint(spec.peerIP);
  if (!endpoint) {
    problems.push(`BGPPeer ${metadata.name}: bad peerIP ${spec.peerIP}`);
    return [];
  }
  const own = localAddress(local, endpoint.address);
  // No session of a family that the node does not have.
  if (own === undefined) return [];
  const port = endpoint.port ?? DEFAULT_PORT;
  const keepalive = seconds(spec.keepaliveTime);
  const remoteAs = Number(spec.asNumber || globalAs);
  const localAs = Number(spec.localASNumber || local.as);
  const external = remoteAs !== localAs;
  const allowedLocalAs = Math.min(Math.max(spec.numAllowedLocalASNumbers ?? 0, 0), 255);
  // Deprecated, and only ever for eBGP; the two are never both set.
  const keeps = spec.keepOriginalNextHop === true && external;
  return [
    {
      name: peerName(kind, endpoint.address, port),
      address: endpoint.address,
      port,
      remoteAs,
      ...(reflects({ ...local, as: localAs }, remoteAs, nodeWith(view, endpoint.address)) && {
        routeReflectorClient: true,
      }),
      ...(localAs !== local.as && { localAs }),
      ...(allowedLocalAs > 0 && { allowedLocalAs }),
      ...(spec.sourceAddress !== "None" && { localAddress: own }),
      families: sessionFamilies[familyOf(endpoint.address)],
      ...(keeps && { nextHop: "keep" }),
      ...(spec.nextHopMode && { nextHop: nextHopModes[spec.nextHopMode] }),
      ...(keepalive && { keepaliveSeconds: Math.min(keepalive, 65_535) }),
      exportPolicy: external ? externalPolicy(local.exportPolicy) : local.exportPolicy,
    },
  ];
}

const nextHopModes = { Auto: "auto", Self: "self", Keep: "keep" } as const;

/** `IP`, `IPv4:PORT` or `[IPv6]:PORT`. */
function parseEndpoint(text: string): { address: IpAddress; port?: number } | undefined {
  const match = /^\[(.+)\]:([0-9]+)$/.exec(text) ?? /^([0-9.]+):([0-9]+)$/.exec(text);
  const address = parseAddress(match?.[1] ?? text);
  if (address === undefined) return undefined;
  return match ? { address, port: Number(match[2]) } : { address };
}

function selectsNode(peer: BGPPeer, node: Node, problems: string[]): boolean {
  const { node: only, nodeSelector } = peer.spec;
  if (only) return only === node.metadata.name;
  return !nodeSelector || selectorMatcher(nodeSelector, peer.metadata.name, problems)(node);
}

/** Of a peering between nodes, this node is the other end, and it is not to be configured by hand. */
function isReversed({ metadata, spec }: BGPPeer, node: Node): boolean {
  if (!spec.peerSelector || spec.reversePeering === "Manual") return false;
  return selectorMatcher(spec.peerSelector, metadata.name, [])(node);
}

function selectorMatcher(text: string, peer: string, problems: string[]): (node: Node) => boolean {
  try {
    const selector = parseSelector(text);
    return (node) => selector.matches(node.metadata.labels ?? {});
  } catch (error) {
    problems.push(`BGPPeer ${peer}: ${(error as Error).message}`);
    return () => false;
  }
}
