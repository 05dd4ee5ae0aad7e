/**
 * What a node must be able to receive, whoever wants it; and the tunnels that nobody wants any more, whose
 * addresses sockets of the host still use as their source. Those stay until the last such socket has gone.
 */

import type { Dataplane, KernelState } from "../dataplane/index.ts";
import type { Tunnel } from "../facts/index.ts";
import { errorText, formatAddress, parseAddress, parsePrefix } from "../lib/index.ts";
import { widenedPools } from "../mode/index.ts";
import type { Encapsulation, IPPool, Node } from "../model/index.ts";
import type { HostSocket } from "../netlink/index.ts";
import { type NodeFacts, poolTunnel } from "../plan/index.ts";
import type { Basis } from "./outcome.ts";

/** What pools say, what changes will make them say, what is sent now, and what others may still send. */
export function neededTunnels(
  { view, ordered }: Basis,
  { nodes, kernel }: { readonly nodes: readonly NodeFacts[]; readonly kernel: KernelState },
): Set<Encapsulation> {
  const needed = new Set<Encapsulation>(kernel.current.values());
  // Also as they are stored: a node that was moved must be ready for everybody's way back.
  const widened = widenedPools(view.pools, view.modeChanges);
  for (const pool of [...view.pools, ...ordered, ...widened]) {
    const tunnel = tunnelOf(pool);
    if (tunnel) needed.add(tunnel);
  }
  const alive = new Set(nodes.map((candidate) => candidate.name));
  for (const { metadata, status } of view.nodeModes) {
    // The word of a node that is no more does not keep a tunnel open.
    if (alive.has(metadata.name)) for (const sent of status?.sends ?? []) needed.add(sent);
  }
  return needed;
}

function tunnelOf({ spec }: IPPool): Tunnel | undefined {
  const cidr = parsePrefix(spec.cidr);
  const { ipipMode = "Never", vxlanMode = "Never" } = spec;
  return cidr && poolTunnel({ cidr, ipipMode, vxlanMode });
}

export interface KeptTunnel {
  readonly tunnel: Tunnel;
  /** Why, for the operator. */
  readonly line: string;
}

/** Of the tunnels that would be given up, those whose address is in use. */
export async function keptTunnels(
  dataplane: Pick<Dataplane, "socketsOn">,
  candidates: Iterable<Tunnel>,
  node: Node | undefined,
): Promise<KeptTunnel[]> {
  const kept: KeptTunnel[] = [];
  for (const tunnel of candidates) {
    const why = await useOf(dataplane, storedAddress(node, tunnel));
    if (why === undefined) continue;
    kept.push({ tunnel, line: `the ${tunnel} tunnel and its address stay: ${why}` });
  }
  return kept;
}

/** Who uses an address, in words; undefined if nobody does. What cannot be known counts as in use. */
export async function useOf(
  dataplane: Pick<Dataplane, "socketsOn">,
  text: string | undefined,
): Promise<string | undefined> {
  const address = parseAddress(text ?? "");
  if (address === undefined) return undefined;
  try {
    const sockets = await dataplane.socketsOn(address);
    const [first] = sockets;
    return first && `${socketsText(sockets.length, first)} ${formatAddress(address)}`;
  } catch (error) {
    return `whether sockets use ${formatAddress(address)} cannot be found out: ${errorText(error)}`;
  }
}

function socketsText(count: number, first: HostSocket): string {
  const { protocol, state, sourcePort, destination, destinationPort } = first;
  const end =
    destinationPort === 0
      ? `port ${sourcePort}, ${state}`
      : `to ${formatAddress(destination)} port ${destinationPort}, ${state}`;
  const one = `${protocol} ${end}`;
  return count === 1
    ? `a socket of this host (${one}) uses`
    : `${count} sockets of this host (the first: ${one}) use`;
}

export function storedAddress(node: Node | undefined, tunnel: Tunnel): string | undefined {
  switch (tunnel) {
    case "ipip":
      return node?.spec.bgp?.ipv4IPIPTunnelAddr;
    case "vxlan":
      return node?.spec.ipv4VXLANTunnelAddr;
    case "vxlan-v6":
      return node?.spec.ipv6VXLANTunnelAddr;
  }
}
