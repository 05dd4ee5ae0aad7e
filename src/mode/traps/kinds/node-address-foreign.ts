/** What is stored is not what the host has. */

import { formatAddress } from "../../../lib/index.ts";
import type { TrapKind } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const nodeAddressForeign: TrapKind = {
  code: "NODE_ADDRESS_NOT_ON_HOST",
  meaning:
    "No device of the host holds the address that its Node says: what others send it does not arrive, and its agent cannot plan.",
  remedy: "Correct spec.bgp.ipv4Address of the Node, or give the host the address.",
  find: ({ nodes }) => {
    const wrong = nodes.filter(({ addresses, host }) => {
      if (!host || (!addresses.ipv4 && !addresses.ipv6)) return false;
      return host.uplink === undefined;
    });
    const [first] = wrong;
    if (!first) return [];
    const names = wrong.map(({ name }) => name);
    const stored = [first.addresses.ipv4, first.addresses.ipv6].flatMap((prefix) =>
      prefix ? [formatAddress(prefix.address)] : [],
    );
    const held = (first.host?.addresses ?? []).map(({ address }) => address);
    const message = `${nodesListed(names)}: no device holds the address of the Node (${first.name}: ${listed(stored)} is stored, the host has ${listed(held) || "none"})`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};

export const nodeAddressShared: TrapKind = {
  code: "NODE_ADDRESS_SHARED",
  meaning: "Two Nodes have one address: what is sent to the one reaches the other.",
  remedy: "Correct the address of one of them, or delete the Node that is gone.",
  find: ({ nodes }) => {
    const holders = new Map<string, string[]>();
    for (const { name, addresses } of nodes) {
      for (const prefix of [addresses.ipv4, addresses.ipv6]) {
        if (!prefix) continue;
        const text = formatAddress(prefix.address);
        const names = holders.get(text) ?? [];
        names.push(name);
        holders.set(text, names);
      }
    }
    return [...holders].flatMap(([address, names]) =>
      names.length < 2
        ? []
        : [
            {
              severity: "refuse" as const,
              message: `${nodesListed(names)} have the address ${address}: half of what is sent to it would reach the wrong node`,
              nodes: names,
            },
          ],
    );
  },
};
