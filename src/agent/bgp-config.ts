/**
 * From resources to the speaker's configuration: the node-to-node mesh and the BGPPeers, as
 * Calico's confd makes them for BIRD.
 */

import type { OriginatedRoute, PeerConfig, PolicyRule, SpeakerConfig } from "../bgp/index.ts";
import {
  formatAddress,
  type IpAddress,
  type Ipv4,
  isPrefix4,
  type Prefix4,
  parseAddress,
  parsePrefix,
  prefixCovers,
} from "../lib/index.ts";
import { type BGPPeer, type Node, parseSelector } from "../model/index.ts";
import type { BlockFacts } from "../plan/index.ts";
import { nodeAddress } from "./facts.ts";
import { unsupportedConfigurationFields, unsupportedPeerFields } from "./unsupported.ts";
import { type ClusterView, effectiveSpec } from "./view.ts";

/** Calico's words for where a peering comes from. */
export type PeeringType = "node-to-node mesh" | "global" | "node specific";

export interface BgpPlan {
  readonly config: SpeakerConfig;
  readonly types: ReadonlyMap<string, PeeringType>;
  /** BGPPeers that could not be used, and why. */
  readonly problems: readonly string[];
}

const DEFAULT_AS = 64512;
const DEFAULT_PORT = 179;
/** BIRD's own, which Calico leaves as it is. */
const DEFAULT_RESTART_SECONDS = 120;

interface Local {
  readonly node: Node;
  readonly address: Ipv4;
  readonly as: number;
  readonly port: number;
  readonly exportPolicy: readonly PolicyRule[];
}

/** `undefined` while the node has no BGP address: nothing to speak with. */
export function bgpPlan(
  view: ClusterView,
  name: string,
  blocks: readonly BlockFacts[],
): BgpPlan | undefined {
  const node = view.nodes.find((candidate) => candidate.metadata.name === name);
  const address = node && nodeAddress(node)?.address;
  if (!node || address === undefined) return undefined;
  const problems: string[] = [];
  const settings = effectiveSpec(view.bgpConfigurations, name);
  const globals = effectiveSpec(view.bgpConfigurations, "");
  const globalAs = Number(globals.asNumber ?? DEFAULT_AS);
  const exported = view.pools.filter((pool) => !pool.spec.disableBGPExport).flatMap(poolPrefix);
  const local: Local = {
    node,
    address,
    as: Number(node.spec.bgp?.asNumber ?? globalAs),
    port: settings.listenPort ?? DEFAULT_PORT,
    exportPolicy: exportPolicy(exported),
  };
  const peers = new Map<string, PeerConfig>();
  const types = new Map<string, PeeringType>();
  const add = (peer: PeerConfig, type: PeeringType) => {
    // A global peering suppresses a node-specific one, and both a mesh one, to the same address.
    const taken = [...peers.values()].some(
      (other) => other.address === peer.address && other.port === peer.port,
    );
    if (taken || peer.address === address) return;
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
    for (const config of explicitPeers({ peer, type, view, local, globalAs, problems })) {
      add(config, type);
    }
  }
  if (globals.nodeToNodeMeshEnabled !== false) {
    for (const config of meshPeers(view, local, globalAs)) add(config, "node-to-node mesh");
  }
  const originate: OriginatedRoute[] = blocks
    .filter((block) => block.node === name && block.prefix.length < 32)
    .filter((block) => exported.some((pool) => prefixCovers(pool, block.prefix)))
    .map(({ prefix }) => ({ prefix }));
  return {
    config: {
      localAs: local.as,
      routerId: address,
      listen: { port: local.port, ...(settings.bindMode === "NodeIP" && { address }) },
      gracefulRestart: { restartTimeSeconds: DEFAULT_RESTART_SECONDS },
      peers: [...peers.values()],
      originate,
    },
    types,
    problems,
  };
}

function poolPrefix(pool: { readonly spec: { readonly cidr: string } }): Prefix4[] {
  const prefix = parsePrefix(pool.spec.cidr);
  return prefix && isPrefix4(prefix) ? [prefix] : [];
}

/** Own blocks and addresses of exported pools go out; what routers taught us does not. */
function exportPolicy(exported: readonly Prefix4[]): PolicyRule[] {
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

function meshPeers(view: ClusterView, local: Local, globalAs: number): PeerConfig[] {
  if (local.node.spec.bgp?.routeReflectorClusterID) return [];
  return view.nodes.flatMap((node) => {
    const address = safeAddress(node);
    if (address === undefined || node.metadata.name === local.node.metadata.name) return [];
    if (node.spec.bgp?.routeReflectorClusterID) return [];
    return [nodePeer({ kind: "Mesh", node, address, view, local, globalAs })];
  });
}

function safeAddress(node: Node): Ipv4 | undefined {
  try {
    return nodeAddress(node)?.address;
  } catch {
    return undefined;
  }
}

interface NodePeerOptions {
  readonly kind: string;
  readonly node: Node;
  readonly address: Ipv4;
  readonly view: ClusterView;
  readonly local: Local;
  readonly globalAs: number;
}

function nodePeer({ kind, node, address, view, local, globalAs }: NodePeerOptions): PeerConfig {
  const port = effectiveSpec(view.bgpConfigurations, node.metadata.name).listenPort ?? DEFAULT_PORT;
  return {
    name: peerName(kind, address, port),
    address,
    port,
    remoteAs: Number(node.spec.bgp?.asNumber ?? globalAs),
    localAddress: local.address,
    // Both ends know each other, so one of them dials: the one whose address sorts higher as text.
    passive: kind !== "Node" && formatAddress(address) > formatAddress(local.address),
    exportPolicy: local.exportPolicy,
  };
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
    return view.nodes.flatMap((node) => {
      const address = safeAddress(node);
      if (address === undefined || address === local.address || !matches(node)) return [];
      return [nodePeer({ kind, node, address, view, local, globalAs })];
    });
  }
  if (!spec.peerIP) return [];
  const endpoint = parseEndpoint(spec.peerIP);
  if (!endpoint) {
    problems.push(`BGPPeer ${metadata.name}: bad peerIP ${spec.peerIP}`);
    return [];
  }
  const port = endpoint.port ?? DEFAULT_PORT;
  const keepalive = seconds(spec.keepaliveTime);
  const remoteAs = Number(spec.asNumber || globalAs);
  return [
    {
      name: peerName(kind, endpoint.address, port),
      address: endpoint.address,
      port,
      remoteAs,
      ...(spec.sourceAddress !== "None" && { localAddress: local.address }),
      ...(spec.nextHopMode && { nextHop: nextHopModes[spec.nextHopMode] }),
      ...(keepalive !== undefined && { keepaliveSeconds: keepalive }),
      exportPolicy: remoteAs === local.as ? local.exportPolicy : externalPolicy(local.exportPolicy),
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

/** Whole seconds of a Go duration (`90s`, `1m30s`). */
function seconds(duration: string | undefined): number | undefined {
  if (!duration) return undefined;
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  let total = 0;
  for (const [, digits, unit] of duration.matchAll(/([0-9.]+)(ms|h|m|s)/g)) {
    total += Number(digits) * (units[unit ?? ""] ?? 0);
  }
  return Math.round(total);
}

function selectsNode(peer: BGPPeer, node: Node, problems: string[]): boolean {
  const { node: only, nodeSelector } = peer.spec;
  if (only) return only === node.metadata.name;
  return !nodeSelector || selectorMatcher(nodeSelector, peer.metadata.name, problems)(node);
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
