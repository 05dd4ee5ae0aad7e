/** A plan as an operator reads a node: what `ip route`, `ip -d link` and the firewall would show. */

import { formatAddress, formatDestination, formatPrefix } from "../lib/index.ts";
import type { NodePlan, RoutePlan } from "./types.ts";

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  2: "kernel",
  3: "boot",
  4: "static",
  12: "bird",
};
const RTPROT_BOOT = 3;

/** One route as `ip route show` prints it. */
export function renderRoute(route: RoutePlan): string {
  const words: string[] = [];
  if (route.kind === "blackhole") words.push("blackhole");
  words.push(formatDestination(route.destination));
  if (route.gateway !== undefined) words.push("via", formatAddress(route.gateway));
  if (route.device !== undefined) words.push("dev", route.device);
  if (route.protocol !== RTPROT_BOOT) {
    words.push("proto", PROTOCOL_NAMES[route.protocol] ?? String(route.protocol));
  }
  if (route.scope === "link") words.push("scope", "link");
  if (route.onlink) words.push("onlink");
  return words.join(" ");
}

/** The plan as lines, one object each, sorted within their kind; two plans compare line by line. */
export function renderPlan(plan: NodePlan): string[] {
  const lines: string[] = [];
  const { ipip, vxlan, firewall } = plan;
  if (ipip) {
    lines.push(
      `link ${ipip.device} ipip local ${formatAddress(ipip.local)} dev ${ipip.uplink} mtu ${ipip.mtu}`,
    );
  }
  if (vxlan) {
    lines.push(
      `link ${vxlan.device} vxlan id ${vxlan.vni} local ${formatAddress(vxlan.local)} dev ${vxlan.parent} dstport ${vxlan.port} nolearning mtu ${vxlan.mtu} address ${vxlan.mac}`,
    );
  }
  lines.push(
    ...plan.addresses.map(
      (address) => `address ${formatPrefix(address.prefix)} dev ${address.device}`,
    ),
    ...(vxlan?.neighbours ?? []).flatMap((neighbour) => [
      `neighbour ${formatAddress(neighbour.address)} lladdr ${neighbour.mac} dev ${vxlan?.device}`,
      `fdb ${neighbour.mac} dst ${formatAddress(neighbour.node)} dev ${vxlan?.device}`,
    ]),
    ...plan.routes.map((route) => `route ${renderRoute(route)}`).sort(),
    ...firewall.masqueradedPools.map((pool) => `nat masquerade ${formatPrefix(pool)}`),
    ...(firewall.ipipSenders ?? []).map(
      (sender) => `accept ipip from ${formatDestination(sender)}`,
    ),
    ...(firewall.vxlanSenders ?? []).map(
      (sender) => `accept vxlan from ${formatDestination(sender)}`,
    ),
    ...plan.sysctls.map((sysctl) => `sysctl ${sysctl.path} = ${sysctl.value}`),
  );
  return lines;
}

export interface PlanStep {
  readonly kind: "add" | "remove";
  readonly line: string;
}

/** What changes between two plans. Additions come first: nothing is taken away before its replacement. */
export function diffPlans(before: NodePlan, after: NodePlan): PlanStep[] {
  const old = new Set(renderPlan(before));
  const wanted = new Set(renderPlan(after));
  return [
    ...[...wanted].filter((line) => !old.has(line)).map((line) => ({ kind: "add" as const, line })),
    ...[...old]
      .filter((line) => !wanted.has(line))
      .map((line) => ({ kind: "remove" as const, line })),
  ];
}
