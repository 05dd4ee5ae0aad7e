/** A plan as a list of objects, each with its line of text and the reason why it is wanted. */

import {
  formatAddress,
  formatDestination,
  formatPrefix,
  hostPrefix,
  type Prefix,
} from "../lib/index.ts";
import { PROBE_DEVICE, renderRule } from "./proof.ts";
import {
  renderAddress,
  renderFdbEntry,
  renderIpipLink,
  renderNeighbour,
  renderRoute,
  renderSysctl,
  renderTableRoute,
  renderVxlanLink,
} from "./render.ts";
import type { FirewallPlan, NodePlan, VxlanPlan } from "./types.ts";

export interface PlanObject {
  /** What the kernel tells objects apart by: an object with this key and another line is altered. */
  readonly key: string;
  /** One line, as an operator reads it. */
  readonly line: string;
  readonly reason: string;
}

/** One object each, sorted within their kind; two plans compare line by line. */
export function planObjects(plan: NodePlan): PlanObject[] {
  const { ipip, vxlan, vxlan6, firewall, firewall6 } = plan;
  const objects: PlanObject[] = [];
  if (ipip) {
    const reason = "carries and receives IP-in-IP";
    objects.push({ key: `link ${ipip.device}`, line: renderIpipLink(ipip), reason });
  }
  const vxlans = [vxlan, vxlan6].flatMap((found) => found ?? []);
  for (const tunnel of vxlans) {
    const reason = "carries and receives VXLAN";
    objects.push({ key: `link ${tunnel.device}`, line: renderVxlanLink(tunnel), reason });
  }
  for (const { prefix, device } of plan.addresses) {
    const line = renderAddress(prefix, device);
    const what = device === PROBE_DEVICE ? "probe" : "tunnel";
    objects.push({ key: line, line, reason: `this node's ${what} address` });
  }
  return [
    ...objects,
    ...vxlans.flatMap(endpoints),
    ...routeObjects(plan),
    ...proofObjects(plan),
    ...firewallObjects(firewall),
    ...(firewall6 ? firewallObjects(firewall6) : []),
    ...sysctls(plan),
  ];
}

function endpoints({ device, neighbours }: VxlanPlan): PlanObject[] {
  const macs = new Set<string>();
  return neighbours.flatMap(({ address, mac, node }) => {
    const reason = `VXLAN endpoint of ${formatAddress(node)}`;
    const line = renderNeighbour(address, mac, device);
    const neighbour = { key: `neighbour ${formatAddress(address)} dev ${device}`, line, reason };
    // A node that is probed has two addresses behind one entry.
    if (macs.has(mac)) return [neighbour];
    macs.add(mac);
    const entry = renderFdbEntry(mac, node, device);
    return [neighbour, { key: `fdb ${mac} dev ${device}`, line: entry, reason }];
  });
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

function proofObjects({ proof }: NodePlan): PlanObject[] {
  if (!proof) return [];
  const { table, rules, routes } = proof;
  return [
    ...rules.map((rule) => {
      const line = renderRule(rule);
      return { key: line, line, reason: "proof packets go by a table of their own" };
    }),
    ...routes.map((route) => ({
      key: `route ${formatPrefix(route.destination)} table ${table}`,
      line: `route ${renderTableRoute(route, table)}`,
      reason: route.reason,
    })),
  ];
}

function firewallObjects(firewall: FirewallPlan): PlanObject[] {
  const lines = (words: string, prefixes: readonly Prefix[], reason: string): PlanObject[] =>
    prefixes.map((prefix) => {
      const line = `${words} ${formatDestination(prefix)}`;
      return { key: line, line, reason };
    });
  const { excludedHosts, ipipSenders = [], vxlanSenders = [], unserved } = firewall;
  return [
    ...lines("nat masquerade", firewall.masqueradedPools, "pool with natOutgoing"),
    ...lines("nat not to", firewall.pools, "traffic between pods is never translated"),
    ...lines(
      "nat not to host",
      excludedHosts.map((host) => hostPrefix(host)),
      "natOutgoingExclusions",
    ),
    ...lines("accept ipip from", ipipSenders, "node or external node"),
    ...lines("accept vxlan from", vxlanSenders, "node or external node"),
    ...lines(
      "forward nothing to service",
      unserved?.cidrs ?? [],
      `what no service proxy took: ${unserved?.action}`,
    ),
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
