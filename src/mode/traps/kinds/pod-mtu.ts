/** Running pods that may send larger packets than the new mode carries. */

import type { Tunnel } from "../../../facts/index.ts";
import { mtusOf } from "../context.ts";
import type { Finding, TrapContext, TrapKind, TrapNode } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const podMtu: TrapKind = {
  code: "POD_MTU_TOO_LARGE",
  meaning:
    "Running pods have a larger MTU than the new mode carries, which carries less than the present one. Agents lower it before routes move, except where they run with `--pod-mtu fixed`, and for pods whose MTU was given by hand. Unless routes in these pods limit what they send, they depend on ICMP.",
  remedy:
    "Run the agents with `--pod-mtu live`, or restart these pods after the change; see docs/guides/mtu.md.",
  find: (context) => {
    if (!context.to || !context.pool) return [];
    const fixed: Large[] = [];
    const byHand: Large[] = [];
    for (const node of context.nodes) {
      const found = tooLarge(context, node);
      if (!found) continue;
      // An agent that lowers MTUs says what its pods send.
      const target = node.mode?.mtu === undefined ? fixed : byHand;
      const mtus =
        target === fixed ? found.mtus : found.mtus.filter((mtu) => !isGiven(context, node, mtu));
      if (mtus.length > 0) target.push({ ...found, mtus });
    }
    return [
      ...finding(fixed, "and their agents leave it as it is"),
      ...finding(byHand, "given by hand, so that the agents leave it as it is"),
    ];
  },
};

interface Large {
  readonly name: string;
  readonly mtus: readonly number[];
  readonly carries: number;
}

function tooLarge(context: TrapContext, node: TrapNode): Large | undefined {
  const carries = carried(context, node, context.tunnel);
  const before = carried(context, node, context.oldTunnel);
  if (carries === undefined || before === undefined || !node.host) return undefined;
  // Whatever keeps larger packets away from the present mode keeps them from one that carries as much.
  if (carries >= before) return undefined;
  const mtus = Object.keys(node.host.podMtus)
    .map(Number)
    .filter((mtu) => mtu > carries);
  return mtus.length === 0 ? undefined : { name: node.name, mtus, carries };
}

/** Other pools may ask for less; pods get what fits all. Here the new mode alone is looked at. */
function carried(
  context: TrapContext,
  node: TrapNode,
  tunnel: Tunnel | undefined,
): number | undefined {
  return mtusOf(context, node)?.given[tunnel ?? "none"];
}

/** An MTU that an agent or a CNI plugin gives on this host. */
function isGiven(context: TrapContext, node: TrapNode, mtu: number): boolean {
  const { given = {}, found = {} } = mtusOf(context, node) ?? {};
  const { sends, accepts } = node.mode?.mtu ?? {};
  return [...Object.values(given), ...Object.values(found), sends, accepts].includes(mtu);
}

function finding(found: readonly Large[], words: string): Finding[] {
  const [first] = found;
  if (!first) return [];
  const names = found.map(({ name }) => name);
  const message = `pods on ${nodesListed(names)} have an MTU of ${listed(first.mtus.map(String))} (${first.name}), ${words}; the new mode carries ${first.carries}: larger packets rely on ICMP, unless routes in the pods limit them`;
  return [{ severity: "warn", message, nodes: names }];
}
