/** Hosts, and the fabric between them, that do not agree how large packets may be. */

import { mtusOf, uplinkIn } from "../context.ts";
import type { TrapKind } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const hostMtusDiffer: TrapKind = {
  code: "HOST_MTUS_DIFFER",
  meaning:
    "The uplinks of nodes have different MTUs. Pods on the larger send more than the smaller take; in a tunnel the kernel of the sender tells them, in plain routing the fabric must.",
  remedy:
    "Give all hosts the MTU of the fabric, or set ipipMTU, vxlanMTU and pods' MTUs to what the smallest carries.",
  find: (context) => {
    if (context.to === undefined) return [];
    const byMtu = new Map<number, string[]>();
    for (const node of context.nodes) {
      const mtu = uplinkIn(context, node)?.mtu;
      if (mtu === undefined) continue;
      const names = byMtu.get(mtu) ?? [];
      names.push(node.name);
      byMtu.set(mtu, names);
    }
    if (byMtu.size < 2) return [];
    const sorted = [...byMtu].sort(([a], [b]) => a - b);
    const words = sorted.map(([mtu, names]) => `${mtu} on ${nodesListed(names)}`);
    const [, few = []] = [...byMtu].sort(([, a], [, b]) => a.length - b.length)[0] ?? [];
    const message = `uplinks have different MTUs: ${listed(words)}; packets between them rely on path MTU discovery`;
    return [{ severity: "warn", message, nodes: few }];
  },
};

export const mtuSetting: TrapKind = {
  code: "TUNNEL_MTU_TOO_LARGE",
  meaning:
    "ipipMTU, vxlanMTU or vxlanMTUV6 of the FelixConfiguration is more than the host's MTU less what the encapsulation takes: full packets would not leave, or be fragmented.",
  remedy:
    "Set it to 0 (the agent works it out), or to the host's MTU less 20 (IP-in-IP), 50 (VXLAN) or 70 (VXLAN over IPv6).",
  find: (context) => {
    const { tunnel, nodes } = context;
    if (!tunnel) return [];
    const small = nodes.flatMap((node) => {
      const mtus = mtusOf(context, node);
      if (!mtus || mtus.given[tunnel] <= mtus.found[tunnel]) return [];
      return [{ name: node.name, given: mtus.given[tunnel], carries: mtus.found[tunnel] }];
    });
    const [first] = small;
    if (!first) return [];
    const names = small.map(({ name }) => name);
    const message = `the FelixConfiguration gives ${tunnel} the MTU ${first.given}, but ${nodesListed(names)} can carry ${first.carries} only`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};
