/** A plan as a list of objects, each with its line of text and the reason why it is wanted. */

import { formatAddress, formatDestination, formatPrefix, hostPrefix } from "../lib/index.ts";
import {
  renderAddress,
  renderFdbEntry,
  renderIpipLink,
  renderNeighbour,
  renderRoute,
  renderSysctl,
  renderVxlanLink,
} from "./render.ts";
import type { FirewallPlan, NodePlan } from "./types.ts";

export interface PlanObject {
  /** What the kernel tells objects apart by: an object with this key and another line is altered. */
  readonly key: string;
  /** One line, as an operator reads it. */
  readonly line: string;
  readonly reason: string;
}

/** One object each, sorted within their kind; two plans compare line by line. */
export function planObjects(plan: NodePlan): PlanObject[] {
  const { ipip, vxlan } = plan;
  const objects: PlanObject[] = [];
  if (ipip) {
    const reason = "carries and receives IP-in-IP";
    objects.push({ key: `link ${ipip.device}`, line: renderIpipLink(ipip), reason });
  }
  if (vxlan) {
    const reason = "carries and receives VXLAN";
    objects.push({ key: `link ${vxlan.device}`, line: renderVxlanLink(vxlan), reason });
  }
  for (const { prefix, device } of plan.addresses) {
    const line = renderAddress(prefix, device);
    objects.push({ key: line, line, reason: "this node's tunnel address" });
  }
  for (const { address, mac, node } of vxlan?.neighbours ?? []) {
    const device = vxlan!.device;
    const reason = `VXLAN endpoint of ${formatAddress(node)}`;
    const line = renderNeighbour(address, mac, device);
    objects.push({ key: `neighbour ${formatAddress(address)} dev ${device}`, line, reason });
    const entry = renderFdbEntry(mac, node, device);
    objects.push({ key: `fdb ${mac} dev ${device}`, line: entry, reason });
  }
  return [...objects, ...routeObjects(plan), ...firewallObjects(plan.firewall), ...sysctls(plan)];
}

function routeObjects({ routes }: NodePlan): PlanObject[] {
  return routes
    .map((route) => ({
      key: `route ${formatPrefix(route.destination)}`,
      line: `route ${renderRoute(route)}`,
      reason: route.reason,
    }))
    .sort((a, b) => (a.line < b.line ? -1 : 1));
}

function firewallObjects(firewall: FirewallPlan): PlanObject[] {
  const lines = (
    words: string,
    prefixes: readonly Parameters<typeof formatDestination>[0][],
    reason: string,
  ): PlanObject[] =>
    prefixes.map((prefix) => {
      const line = `${words} ${formatDestination(prefix)}`;
      return { key: line, line, reason };
    });
  const { excludedHosts, ipipSenders = [], vxlanSenders = [] } = firewall;
  return [
    ...lines("nat masquerade", firewall.masqueradedPools, "pool with natOutgoing"),
    ...lines("nat not to", firewall.pools, "traffic between pods is never translated"),
    ...lines("nat not to host", excludedHosts.map(hostPrefix), "natOutgoingExclusions"),
    ...lines("accept ipip from", ipipSenders, "node or external node"),
    ...lines("accept vxlan from", vxlanSenders, "node or external node"),
  ];
}

function sysctls(plan: NodePlan): PlanObject[] {
  return plan.sysctls.map(({ path, value, reason }) => ({
    key: `sysctl ${path}`,
    line: renderSysctl(path, value),
    reason,
  }));
}

/** The plan as lines. */
export function renderPlan(plan: NodePlan): string[] {
  return planObjects(plan).map(({ line }) => line);
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
