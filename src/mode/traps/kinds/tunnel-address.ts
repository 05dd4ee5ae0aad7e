/** The addresses of tunnel devices: whether nodes have, or can get, what the mode needs. */

import { eligibleTunnelPools, type Tunnel } from "../../../facts/index.ts";
import { maskPrefix, PrefixTrie, parseAddress, parsePrefix } from "../../../lib/index.ts";
import { modeFields } from "../../../model/index.ts";
import { addressIn } from "../context.ts";
import type { TrapContext, TrapKind, TrapNode } from "../types.ts";
import { nodesListed } from "../words.ts";

/** The stored tunnel address, as text. */
function stored({ node }: TrapNode, tunnel: Tunnel): string | undefined {
  const { bgp, ipv4VXLANTunnelAddr, ipv6VXLANTunnelAddr } = node.spec;
  const text = {
    ipip: bgp?.ipv4IPIPTunnelAddr,
    vxlan: ipv4VXLANTunnelAddr,
    "vxlan-v6": ipv6VXLANTunnelAddr,
  }[tunnel];
  return text || undefined;
}

export const tunnelAddressUnavailable: TrapKind = {
  code: "TUNNEL_ADDRESS_UNAVAILABLE",
  meaning:
    "The new mode's tunnel needs an address on a node, and no pool gives it one: its nodeSelector does not match the node, or its allowedUses lack Tunnel. A node without VXLAN tunnel address cannot be sent VXLAN; without IP-in-IP tunnel address reverse-path filters drop what it receives.",
  remedy: "Add Tunnel to allowedUses of the pool, and let its nodeSelector match every node.",
  find: (context) => {
    const { tunnel, view, pool, to, nodes } = context;
    if (!tunnel || !pool || !to) return [];
    const pools = view.pools.map((one) =>
      one === pool ? { ...one, spec: { ...one.spec, ...modeFields(to) } } : one,
    );
    const names = nodes
      .filter((node) => {
        if (!addressIn(context, node)) return false;
        const labels = node.node.metadata.labels ?? {};
        return eligibleTunnelPools({ pools, labels, tunnel }).length === 0;
      })
      .map(({ name }) => name);
    if (names.length === 0) return [];
    const message = `no pool gives ${nodesListed(names)} an address for the ${tunnel} tunnel: it would not be sent ${tunnel}, or drop what comes`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};

export const tunnelAddressMissing: TrapKind = {
  code: "TUNNEL_ADDRESS_MISSING",
  meaning:
    "A node lacks the tunnel address of the mode that the pool has now, although its agent runs: address management is stuck there, and will not give the next address either.",
  remedy:
    "See `switchyard node status` on the node: the pool may be full, or the datastore refuse the agent's writes.",
  find: (context) => {
    const { oldTunnel, nodes, view } = context;
    if (!oldTunnel) return [];
    const names = nodes
      .filter((node) => {
        if (!node.mode || !addressIn(context, node) || stored(node, oldTunnel)) return false;
        const labels = node.node.metadata.labels ?? {};
        return eligibleTunnelPools({ pools: view.pools, labels, tunnel: oldTunnel }).length > 0;
      })
      .map(({ name }) => name);
    if (names.length === 0) return [];
    const message = `${nodesListed(names)} ${names.length === 1 ? "has" : "have"} no ${oldTunnel} tunnel address, which the present mode needs`;
    return [{ severity: "warn", message, nodes: names }];
  },
};

export const tunnelAddressBorrowed: TrapKind = {
  code: "TUNNEL_ADDRESS_BORROWED",
  meaning:
    "A node's tunnel address lies in another node's block. It is reached by a route of its own, which routers beyond the cluster do not have: what a host sends from its tunnel address may be answered to the wrong node.",
  remedy:
    "Release the address, so that the agent takes one of the node's own block: clear it in the Node when a block is free.",
  find: ({ nodes, view, oldTunnel, tunnel }) => {
    const used = [oldTunnel, tunnel].flatMap((one) => one ?? []);
    const blocks = new PrefixTrie<string>();
    for (const { spec } of view.affinities) {
      const prefix = parsePrefix(spec.cidr);
      if (prefix && spec.state !== "pendingDeletion") blocks.set(maskPrefix(prefix), spec.node);
    }
    const found = nodes.flatMap((node) =>
      [...new Set(used)].flatMap((one) => {
        const text = stored(node, one);
        const address = text === undefined ? undefined : parseAddress(text);
        if (address === undefined) return [];
        const owner = blocks.longestMatch(address)?.value;
        return owner === undefined || owner === node.name ? [] : [{ name: node.name, text, owner }];
      }),
    );
    const [first] = found;
    if (!first) return [];
    const names = [...new Set(found.map(({ name }) => name))];
    const message = `the tunnel address of ${nodesListed(names)} is borrowed (${first.name}: ${first.text} is in a block of ${first.owner})`;
    return [{ severity: "warn", message, nodes: names }];
  },
};

export const tunnelAddressShared: TrapKind = {
  code: "TUNNEL_ADDRESS_SHARED",
  meaning: "Two nodes have one tunnel address: VXLAN packets for the one go to the other.",
  remedy: "Clear the address in one of both Nodes; its agent takes another.",
  find: ({ nodes, oldTunnel, tunnel }: TrapContext) => {
    const used = new Set([oldTunnel, tunnel].flatMap((one) => one ?? []));
    const holders = new Map<string, string[]>();
    for (const node of nodes) {
      for (const one of used) {
        const text = stored(node, one);
        const key = text === undefined ? undefined : `${one} ${text}`;
        if (key === undefined) continue;
        const names = holders.get(key) ?? [];
        names.push(node.name);
        holders.set(key, names);
      }
    }
    return [...holders].flatMap(([key, names]) =>
      names.length < 2
        ? []
        : [
            {
              severity: "refuse" as const,
              message: `${nodesListed(names)} have one tunnel address (${key})`,
              nodes: names,
            },
          ],
    );
  },
};
