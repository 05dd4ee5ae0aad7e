/** Our nftables table held against a plan: whether it is as written, and the elements of its sets. */

import { errorText, type Family } from "../lib/index.ts";
import type { HeldObject, NodePlan, PlanObject } from "../plan/index.ts";
import type { Firewall, FirewallState } from "./firewall.ts";
import { familyWord, firewallTable } from "./firewall-render.ts";

/** How the plan puts what a set is for. */
const WORDS: Readonly<Record<string, string>> = {
  "masq-ipam-pools": "nat masquerade",
  "network-ip-pools": "nat not to",
  "nat-excluded-hosts": "nat not to host",
  "all-hosts-net": "accept ipip from",
  "all-vxlan-net": "accept vxlan from",
  "service-cidrs": "forward nothing to service",
};

export interface FirewallObjects {
  /** Planned objects that need no element of their own: another prefix covers them. */
  replaces(key: string): boolean;
  readonly planned: readonly PlanObject[];
  readonly held: readonly HeldObject[];
}

/** The table of one family. */
export async function compareFirewall(
  plan: NodePlan,
  firewall: Firewall,
  family: Family,
): Promise<FirewallObjects> {
  const { workloadDevicePrefix } = plan;
  const wish = family === 4 ? plan.firewall : plan.firewall6;
  const line = `nft table ${familyWord(family)} ${firewallTable}`;
  // Only text of IPv6 addresses has colons.
  const isElement = (key: string) =>
    key.includes(":") === (family === 6) &&
    Object.values(WORDS).some((words) => key.startsWith(`${words} `));
  if (wish === undefined) {
    const held = (await firewall.exists()) ? [{ key: line, line }] : [];
    return { replaces: () => false, planned: [], held };
  }
  const planned = [{ key: line, line, reason: "NAT and allow-lists" }];
  let state: FirewallState;
  try {
    state = await firewall.inspect({ firewall: wish, workloadDevicePrefix });
  } catch (error) {
    const held = [{ key: line, line: `${line} (unknown)`, note: errorText(error) }];
    return { replaces: isElement, planned, held };
  }
  const { table, rules, elements } = state;
  const wanted = new Set(lines(rules.sets));
  const held = table === "planned" ? line : `${line} (not as it was written)`;
  return {
    replaces: (key) => isElement(key) && !wanted.has(key),
    planned,
    held: [
      ...lines(elements).map((text) => ({ key: text, line: text })),
      ...(table === "missing" ? [] : [{ key: line, line: held }]),
    ],
  };
}

function lines(sets: ReadonlyMap<string, readonly string[]>): string[] {
  return [...sets].flatMap(([name, elements]) =>
    elements.map((element) => `${WORDS[name] ?? `element of ${name}`} ${element}`),
  );
}
