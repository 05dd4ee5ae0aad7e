/** Running pods that may send larger packets than the new mode carries. */

import { mtusOf } from "../context.ts";
import type { Finding, TrapContext, TrapKind, TrapNode } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const podMtu: TrapKind = {
  code: "POD_MTU_TOO_LARGE",
  meaning:
    "Running pods have a larger MTU than the new mode carries. Agents lower it before routes move, except where they run with `--pod-mtu fixed`, and for pods whose MTU was given by hand; these depend on ICMP being let through, on every network on the way.",
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
      ...finding(fixed, "refuse", "and their agents leave it as it is"),
      ...finding(byHand, "warn", "given by hand, so that the agents leave it as it is"),
    ];
  },
};

interface Large {
  readonly name: string;
  readonly mtus: readonly number[];
  readonly carries: number;
}

function tooLarge(context: TrapContext, node: TrapNode): Large | undefined {
  const carries = carried(context, node);
  if (carries === undefined || !node.host) return undefined;
  const mtus = Object.keys(node.host.podMtus)
    .map(Number)
    .filter((mtu) => mtu > carries);
  return mtus.length === 0 ? undefined : { name: node.name, mtus, carries };
}

/** Other pools may ask for less; pods get what fits all. Here the new mode alone is looked at. */
function carried(context: TrapContext, node: TrapNode): number | undefined {
  return mtusOf(context, node)?.given[context.tunnel ?? "none"];
}

/** An MTU that an agent or a CNI plugin gives on this host. */
function isGiven(context: TrapContext, node: TrapNode, mtu: number): boolean {
  const { given = {}, found = {} } = mtusOf(context, node) ?? {};
  const { sends, accepts } = node.mode?.mtu ?? {};
  return [...Object.values(given), ...Object.values(found), sends, accepts].includes(mtu);
}

function finding(found: readonly Large[], severity: Finding["severity"], words: string): Finding[] {
  const [first] = found;
  if (!first) return [];
  const names = found.map(({ name }) => name);
  const message = `pods on ${nodesListed(names)} have an MTU of ${listed(first.mtus.map(String))} (${first.name}), ${words}; the new mode carries ${first.carries}: larger packets rely on ICMP`;
  return [{ severity, message, nodes: names }];
}
