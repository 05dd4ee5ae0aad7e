/** Another VXLAN device, or a program, at the port of ours. */

import type { Finding, TrapKind } from "../types.ts";
import { nodesListed } from "../words.ts";

export const vxlanPort: TrapKind = {
  code: "VXLAN_PORT_IN_USE",
  meaning:
    "Something else on the host is bound to the VXLAN port: our device cannot be brought up beside it, or shares its socket with it.",
  remedy:
    "Remove the device or stop the program, or choose another port in FelixConfiguration (vxlanPort) before any pool uses VXLAN.",
  find: ({ nodes, tunnel, felix }) => {
    if (tunnel === undefined || tunnel === "ipip") return [];
    const port = felix.vxlanPort ?? 4789;
    return ([true, false] as const).flatMap((blocks): Finding[] => {
      const held = nodes.filter(({ host }) =>
        host?.vxlanPortHolders.some((holder) => holder.blocks === blocks),
      );
      const [first] = held;
      if (!first) return [];
      const names = held.map(({ name }) => name);
      const holder = first.host?.vxlanPortHolders.find((one) => one.blocks === blocks)?.holder;
      const then = blocks
        ? "our device could not be brought up"
        : "our device would share its socket";
      const message = `UDP port ${port} is in use on ${nodesListed(names)} (${first.name}: ${holder}): ${then}`;
      return [{ severity: blocks ? "refuse" : "warn", message, nodes: names }];
    });
  },
};
