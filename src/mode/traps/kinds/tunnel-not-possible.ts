/** The new mode's device cannot be made. */

import type { TrapContext, TrapKind, TrapNode } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const tunnelNotPossible: TrapKind = {
  code: "TUNNEL_NOT_POSSIBLE",
  meaning:
    "A kernel has no module for the tunnel of the new mode, and nothing to take its place (BPF carries IP-in-IP, nothing but the module carries VXLAN).",
  remedy:
    "Install the kernel's modules package (`modprobe ipip`, `modprobe vxlan`), or choose another mode.",
  find: (context) => {
    if (!context.tunnel) return [];
    const without = context.nodes.filter((node) => {
      const backend = backendOf(context, node);
      return backend !== undefined && !["kernel", "bpf", "unknown"].includes(backend);
    });
    if (without.length === 0) return [];
    const names = without.map(({ name }) => name);
    const why = [...new Set(without.flatMap((node) => backendOf(context, node) ?? []))];
    const message = `${nodesListed(names)} cannot send or receive ${context.tunnel}: ${listed(why, 2)}`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};

function backendOf({ tunnel }: TrapContext, { host }: TrapNode): string | undefined {
  return tunnel === "ipip" ? host?.tunnels.ipip : host?.tunnels.vxlan;
}
