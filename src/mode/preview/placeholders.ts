/**
 * Tunnel addresses that nodes do not have yet: address management gives them when the change begins, and nobody
 * knows which. A plan needs one all the same, so it is made with an address that no host can have, and in the text of the
 * plan that gives way to words.
 */

import { eligibleTunnelPools, type Tunnel } from "../../facts/index.ts";
import { formatAddress, type IpAddress, type Ipv4, type Ipv6 } from "../../lib/index.ts";
import type { IPPool, Node } from "../../model/index.ts";

/** 100::/64 (RFC 6666) is for packets to be discarded; of 0.0.0.0/8 no host has an address. */
const DISCARD_ONLY = 0x0100n << 112n;

export interface TunnelAddresses {
  /** Nodes as they will be: with an address of the tunnel. */
  readonly nodes: readonly Node[];
  /** In a text of a plan: words instead of made-up addresses. */
  readonly worded: (line: string) => string;
}

export function withTunnelAddresses(
  nodes: readonly Node[],
  pools: readonly IPPool[],
  tunnels: ReadonlySet<Tunnel>,
): TunnelAddresses {
  const words = new Map<string, string>();
  const given = nodes.map((node, index) => {
    let { spec } = node;
    for (const tunnel of tunnels) {
      if (storedAddress(node, tunnel)) continue;
      const labels = node.metadata.labels ?? {};
      if (eligibleTunnelPools({ pools, labels, tunnel }).length === 0) continue;
      const address = madeUp(tunnel, index);
      words.set(formatAddress(address), `<${tunnel} address of ${node.metadata.name}>`);
      spec = withAddress(spec, tunnel, formatAddress(address));
    }
    return spec === node.spec ? node : { ...node, spec };
  });
  return {
    nodes: given,
    worded: (line) =>
      words.size === 0
        ? line
        : line.replace(/[0-9a-f]*[.:][0-9a-f.:]+/g, (text) => words.get(text) ?? text),
  };
}

function madeUp(tunnel: Tunnel, index: number): IpAddress {
  if (tunnel === "vxlan-v6") return (DISCARD_ONLY + BigInt(index + 1)) as Ipv6;
  // One node may lack both.
  return (2 * (index + 1) + (tunnel === "ipip" ? 0 : 1)) as Ipv4;
}

function storedAddress({ spec }: Node, tunnel: Tunnel): string | undefined {
  if (tunnel === "ipip") return spec.bgp?.ipv4IPIPTunnelAddr || undefined;
  return (tunnel === "vxlan" ? spec.ipv4VXLANTunnelAddr : spec.ipv6VXLANTunnelAddr) || undefined;
}

function withAddress(spec: Node["spec"], tunnel: Tunnel, address: string): Node["spec"] {
  if (tunnel === "ipip") return { ...spec, bgp: { ...spec.bgp, ipv4IPIPTunnelAddr: address } };
  return tunnel === "vxlan"
    ? { ...spec, ipv4VXLANTunnelAddr: address }
    : { ...spec, ipv6VXLANTunnelAddr: address };
}
