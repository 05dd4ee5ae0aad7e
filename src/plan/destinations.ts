/**
 * The per-destination gate: which encapsulation may carry packets to each remote block *now*.
 *
 * A route moves to what its pool wants only if the destination node has published that it accepts
 * it, this node has announced that it may send it, and whatever the route is derived from is there
 * (BGP, unless told otherwise, for IP-in-IP and plain, the node's VTEP for VXLAN). Until then the route stays as it is;
 * nothing that carries packets is given up for something that does not yet.
 */

import {
  formatAddress,
  formatPrefix,
  isPrefix4,
  type Prefix,
  prefixCovers,
  prefixFamily,
} from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import { wantedEncapsulation } from "./encapsulation.ts";
import { addressOf } from "./families.ts";
import { nodeIndex } from "./node-index.ts";
import type {
  Destination,
  NodeAddress,
  NodeFacts,
  PoolFacts,
  RouteSource,
  Settings,
  Snapshot,
} from "./types.ts";

/** A remote block, and who says that it exists. */
interface RemoteBlock {
  readonly prefix: Prefix;
  readonly pool: PoolFacts;
  readonly node: NodeFacts;
  /** Of the node, in the block's family. */
  readonly address: NodeAddress;
  readonly inStore: boolean;
  readonly inBgp: boolean;
}

/** The pool of a block, with the mode that it has for this block. */
export function poolOf(pools: readonly PoolFacts[], prefix: Prefix): PoolFacts | undefined {
  const pool = pools.find(({ cidr }) => prefixCovers(cidr, prefix));
  const part = pool?.parts?.find(({ cidr }) => prefixCovers(cidr, prefix));
  return pool && part ? { ...pool, ipipMode: part.ipipMode, vxlanMode: part.vxlanMode } : pool;
}

/** Every block of another node, from the datastore and from BGP, each once. O(blocks + learned). */
export function remoteBlocks(snapshot: Snapshot): RemoteBlock[] {
  const { byName, byAddress } = nodeIndex(snapshot.nodes);
  const found = new Map<string, RemoteBlock>();
  const own = new Set<string>();
  for (const { prefix, node: name } of snapshot.blocks) {
    const pool = poolOf(snapshot.pools, prefix);
    const node = byName.get(name);
    // Of one prefix the later word counts: a borrowed address comes behind a block of one address.
    if (name === snapshot.node) {
      own.add(formatPrefix(prefix));
      found.delete(formatPrefix(prefix));
    } else if (pool && node) {
      const address = addressOf(node, prefixFamily(prefix));
      // Where there is no address there is no way; the other family may have one.
      if (!address) continue;
      own.delete(formatPrefix(prefix));
      found.set(formatPrefix(prefix), { prefix, pool, node, address, inStore: true, inBgp: false });
    }
  }
  for (const { prefix, nextHop } of snapshot.learned) {
    const text = formatPrefix(prefix);
    const pool = poolOf(snapshot.pools, prefix);
    const stored = found.get(text);
    // Two Nodes may hold one address by mistake: the one that owns the block is meant.
    const owner = stored?.address.address === nextHop ? stored.node : undefined;
    const node = owner ?? byAddress.get(nextHop);
    const address = node && addressOf(node, prefixFamily(prefix));
    if (!pool || !address || node.name === snapshot.node || own.has(text)) continue;
    // A block that has just moved: the datastore knows its new node before BGP withdraws the old.
    if (stored && stored.node.name !== node.name) continue;
    found.set(text, { prefix, pool, node, address, inStore: stored !== undefined, inBgp: true });
  }
  return [...found.values()];
}

/** Decides every remote block. Order follows the datastore, then BGP. */
export function chooseDestinations(snapshot: Snapshot): Destination[] {
  const local = nodeIndex(snapshot.nodes).byName.get(snapshot.node);
  if (!local) return [];
  return remoteBlocks(snapshot).flatMap((block) => {
    const own = addressOf(local, prefixFamily(block.prefix));
    return own ? [choose(snapshot, own, block)] : [];
  });
}

function choose(snapshot: Snapshot, local: NodeAddress, block: RemoteBlock): Destination {
  const wanted = wantedEncapsulation(block.pool, local, block.address);
  const current = snapshot.current.get(formatPrefix(block.prefix));
  const base = { prefix: block.prefix, pool: block.pool.name, node: block.node.name, wanted };
  const obstacle = obstacleTo(wanted, { snapshot, block, current });
  if (obstacle === undefined) return { ...base, chosen: wanted };
  for (const candidate of fallbacks(wanted, current, block)) {
    if (obstacleTo(candidate, { snapshot, block, current }) === undefined) {
      return { ...base, chosen: candidate, waiting: obstacle };
    }
  }
  // What runs is kept even if its destination has withdrawn its word: a route that may still
  // deliver is better than none, and a node withdraws only what nobody announced to it.
  return { ...base, chosen: current, waiting: obstacle };
}

/**
 * What to try instead. Plain routing is never one of them unless it runs already: nobody has said
 * that the fabric carries pod addresses.
 */
function fallbacks(
  wanted: Encapsulation,
  current: Encapsulation | undefined,
  { prefix, node: { accepts } }: RemoteBlock,
): Encapsulation[] {
  if (current !== undefined) return current === wanted ? [] : [current];
  if (accepts === undefined || wanted === "none" || accepts.includes(wanted)) return [];
  const tunnels = isPrefix4(prefix) ? (["ipip", "vxlan"] as const) : (["vxlan-v6"] as const);
  return tunnels.filter((candidate) => candidate !== wanted);
}

interface Circumstances {
  readonly snapshot: Snapshot;
  readonly block: RemoteBlock;
  readonly current: Encapsulation | undefined;
}

/** Where routes of the pool come from that are not VXLAN. */
export function routeSourceOf(
  { ipipMode, vxlanMode }: Pick<PoolFacts, "ipipMode" | "vxlanMode">,
  { clusterRoutes }: Pick<Settings, "clusterRoutes">,
): RouteSource {
  if (clusterRoutes === undefined || vxlanMode !== "Never") return "bgp";
  return ipipMode === "Never" ? clusterRoutes.noEncap : clusterRoutes.ipip;
}

/** What has not been said of the block by those whose word it takes. */
function missingWord(
  { pool, prefix, node, address, inStore, inBgp }: RemoteBlock,
  { settings }: Snapshot,
): string | undefined {
  const source = routeSourceOf(pool, settings);
  switch (source) {
    case "nobody":
      return `programClusterRoutes of neither FelixConfiguration nor BGPConfiguration covers ${pool.name}`;
    case "datastore":
      return inStore ? undefined : `${formatPrefix(prefix)} is not in the datastore`;
    default:
      if (inBgp || (source === "either" && inStore)) return undefined;
      return `no BGP route to ${formatPrefix(prefix)} from ${formatAddress(address.address)} (${node.name}) yet`;
  }
}

/** Why an encapsulation cannot be used towards a block now; undefined if it can. */
function obstacleTo(
  wish: Encapsulation,
  { snapshot, block, current }: Circumstances,
): string | undefined {
  const { node, address } = block;
  if (node.accepts === undefined) {
    // A node that publishes nothing: start as the pool says, then hold still.
    if (current !== undefined && current !== wish)
      return `${node.name} has not published what it accepts`;
  } else if (wish !== "none" && !node.accepts.includes(wish)) {
    return `${node.name} does not accept ${wish} yet`;
  }
  if (wish === "vxlan" || wish === "vxlan-v6") {
    if (!block.inStore) return `${formatPrefix(block.prefix)} is not in the datastore`;
    if (address.vxlanTunnelAddress === undefined)
      return `${node.name} has no ${wish === "vxlan" ? "" : "IPv6 "}VXLAN tunnel address yet`;
  } else if (!(current === wish && block.inStore)) {
    const missing = missingWord(block, snapshot);
    if (missing !== undefined) return missing;
  }
  if (current !== wish && !snapshot.announced.includes(wish)) {
    return `this node has not announced yet that it may send ${wish}`;
  }
  return undefined;
}
