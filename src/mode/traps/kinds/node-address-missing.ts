/** A node that cannot be sent anything. */

import { addressIn } from "../context.ts";
import type { TrapKind } from "../types.ts";
import { nodesListed } from "../words.ts";

export const nodeAddressMissing: TrapKind = {
  code: "NODE_WITHOUT_ADDRESS",
  meaning:
    "A Node has no address that can be read: nobody can send it anything, and its agent has nothing to work with.",
  remedy: "Set spec.bgp.ipv4Address of the Node, with its mask, or delete the Node if it is gone.",
  find: (context) => {
    const without = context.nodes.filter((node) => {
      const { ipv4, ipv6 } = node.addresses;
      return node.unreadable !== undefined || (!ipv4 && !ipv6);
    });
    const names = without.map(({ name }) => name);
    if (names.length === 0) return [];
    const why = without.find(({ unreadable }) => unreadable)?.unreadable;
    const message = `${nodesListed(names)} ${names.length === 1 ? "has" : "have"} no address to send to${why ? ` (${why})` : ""}: pods there are not reached in any mode`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};

export const familyMissing: TrapKind = {
  code: "FAMILY_MISSING",
  meaning:
    "Some nodes have an address of the pool's family and others do not. Pods of the pool reach each other between the former only, whatever the mode.",
  remedy:
    "Give every node an address of the family (spec.bgp), or keep the pool away from the others by its nodeSelector.",
  find: (context) => {
    if (!context.pool) return [];
    const { family, nodes } = context;
    const others = nodes.filter((node) => {
      const { ipv4, ipv6 } = node.addresses;
      return (ipv4 || ipv6) && !addressIn(context, node);
    });
    const names = others.map(({ name }) => name);
    if (names.length === 0) return [];
    const message = `${nodesListed(names)} ${names.length === 1 ? "has" : "have"} no IPv${family} address, which IPPool ${context.pool.metadata.name} needs: not part of the change`;
    return [{ severity: names.length === nodes.length ? "refuse" : "warn", message, nodes: names }];
  },
};
