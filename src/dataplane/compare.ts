/**
 * The kernel held against a plan without changing anything: what is ours in it (and what stands where ours
 * belongs), each object in the plan's own words.
 */

import { type Family, formatPrefix, isPrefix4 } from "../lib/index.ts";
import {
  formatRoute,
  formatRule,
  type Link,
  type Route,
  type RouteSocket,
} from "../netlink/index.ts";
import {
  diffObjects,
  type HeldObject,
  type NodePlan,
  type PlanObject,
  planObjects,
  renderAddress,
  renderFdbEntry,
  renderIpipLink,
  renderNeighbour,
  renderSysctl,
  renderVxlanLink,
} from "../plan/index.ts";
import { compareFilters } from "./compare-filters.ts";
import { compareFirewall } from "./compare-firewall.ts";
import type { Firewall } from "./firewall.ts";
import {
  type KernelTables,
  readPermanentFdb,
  readPermanentNeighbours,
  readTables,
} from "./kernel-tables.ts";
import {
  type Ownership,
  ownsAddress,
  ownsRoute,
  TUNNEL_DEVICES,
  yieldsToPlan,
} from "./ownership.ts";
import { readProof } from "./proof-table.ts";
import { hasOurMetric } from "./route-body.ts";
import type { RouteKeeper } from "./route-keeper.ts";
import { readSysctls } from "./sysctl.ts";
import type { Comparison } from "./types.ts";

export interface CompareContext {
  readonly socket: RouteSocket;
  readonly routes: RouteKeeper;
  readonly firewall: Firewall;
  readonly firewall6: Firewall;
  readonly namespace?: string;
}

/** @throws if the kernel cannot be read. */
export async function comparePlan(plan: NodePlan, context: CompareContext): Promise<Comparison> {
  const { socket, namespace } = context;
  // What the kernel says now, not what was read and followed.
  context.routes.invalidate();
  const tables = await readTables(socket, context.routes);
  const firewalls = [
    await compareFirewall(plan, context.firewall, 4),
    await compareFirewall(plan, context.firewall6, 6),
  ];
  const filters = compareFilters({ plan, tables, namespace });
  const planned: PlanObject[] = [
    ...planObjects(plan).filter(({ key }) => !firewalls.some(({ replaces }) => replaces(key))),
    ...filters.planned,
    ...firewalls.flatMap(({ planned }) => planned),
  ];
  const held: HeldObject[] = [
    ...heldLinks(plan, tables),
    ...filters.held,
    ...heldAddresses(plan, tables),
    ...(await heldEntries(tables, socket)),
    ...heldRoutes(plan, tables),
    ...(await heldProof(socket, tables)),
    ...firewalls.flatMap(({ held }) => held),
    ...heldSysctls(plan, namespace),
  ];
  return { objects: planned.length, differences: diffObjects(planned, held) };
}

function heldLinks(plan: NodePlan, tables: KernelTables): HeldObject[] {
  const held: HeldObject[] = [];
  const ipip = tables.linkByName(TUNNEL_DEVICES.ipip);
  // The ipip module gives every namespace a tunl0, which is down until somebody wants it.
  if (ipip && (plan.ipip || ipip.up || ipip.kind !== "ipip")) held.push(ipipObject(plan, ipip));
  for (const { name } of VXLANS) {
    const vxlan = tables.linkByName(name);
    if (vxlan) held.push(vxlanObject(vxlan, tables));
  }
  return held;
}

/** The kernel's device has neither local address nor parent: it takes both from the routes. */
function ipipObject({ ipip }: NodePlan, { name: device, kind, mtu, up }: Link): HeldObject {
  const key = `link ${device}`;
  if (kind !== "ipip" && kind !== "ifb") return { key, line: `${key} ${kind ?? "unknown"}` };
  const ends = ipip === undefined ? {} : { local: ipip.local, uplink: ipip.uplink };
  return { key, line: renderIpipLink({ device, mtu, down: !up, ...ends }) };
}

function vxlanObject(link: Link, tables: KernelTables): HeldObject {
  const { name: device, kind, vxlan, mtu, mac = "none", up } = link;
  const key = `link ${device}`;
  if (kind !== "vxlan" || vxlan === undefined) return { key, line: `${key} ${kind ?? "unknown"}` };
  const { vni, port, local, learning, device: index } = vxlan;
  const parent = index === undefined ? undefined : (tables.linkName(index) ?? `if${index}`);
  const text = { device, vni, port, local, parent, learning, mtu, mac, down: !up };
  return { key, line: renderVxlanLink(text) };
}

function heldAddresses(
  { addresses: planned, ownedProtocols: protocols, workloadDevicePrefix }: NodePlan,
  tables: KernelTables,
): HeldObject[] {
  const wanted = new Set(planned.map(({ prefix, device }) => renderAddress(prefix, device)));
  return tables.addresses.flatMap((address) => {
    const { index, prefix, scope } = address;
    const device = tables.linkName(index);
    if (device === undefined) return [];
    const stands = wanted.has(renderAddress(prefix, device));
    if (!stands && !ownsAddress({ protocols, workloadDevicePrefix }, address, device)) return [];
    // The kernel gives each device an IPv6 link-local address of its own.
    if (!isPrefix4(prefix) && scope === "link") return [];
    const line = renderAddress(prefix, device);
    return [{ key: line, line }];
  });
}

const VXLANS = [
  { name: TUNNEL_DEVICES.vxlan, family: 4 },
  { name: TUNNEL_DEVICES["vxlan-v6"], family: 6 },
] as const;

async function heldEntries(tables: KernelTables, socket: RouteSocket): Promise<HeldObject[]> {
  const held: HeldObject[] = [];
  for (const { name, family } of VXLANS) {
    const link = tables.linkByName(name);
    if (link?.kind === "vxlan") held.push(...(await heldEntriesOf(link, family, socket)));
  }
  return held;
}

async function heldEntriesOf(
  { index, name }: Link,
  family: Family,
  socket: RouteSocket,
): Promise<HeldObject[]> {
  const neighbours = (await readPermanentNeighbours(socket, { index, family })).map(
    ({ address, mac }) => {
      const line = renderNeighbour(address, mac ?? "none", name);
      return { key: line.replace(/ lladdr \S+/, ""), line };
    },
  );
  const entries = (await readPermanentFdb(socket, index)).flatMap(({ mac, destination }) =>
    // Entries without a remote endpoint are the kernel's own.
    destination === undefined
      ? []
      : [{ key: `fdb ${mac} dev ${name}`, line: renderFdbEntry(mac, destination, name) }],
  );
  return [...neighbours, ...entries];
}

function heldRoutes(plan: NodePlan, tables: KernelTables): HeldObject[] {
  const ownership: Ownership = {
    protocols: plan.ownedProtocols,
    workloadDevicePrefix: plan.workloadDevicePrefix,
  };
  const wanted = new Set(plan.routes.map(({ destination }) => formatPrefix(destination)));
  const loopback = tables.linkByName("lo")?.index;
  return tables.routes.all().flatMap((route): HeldObject[] => {
    const device = route.device === undefined ? undefined : tables.linkName(route.device);
    const prefix = formatPrefix(route.destination);
    const key = `route ${prefix}${hasOurMetric(route) ? "" : ` metric ${route.metric}`}`;
    const object = {
      key,
      line: `route ${formatRoute(withoutNews(route, loopback), tables.linkName)}`,
    };
    if (ownsRoute(ownership, route, device)) {
      const extra = !wanted.has(prefix) || !hasOurMetric(route);
      return [plan.keepUnplannedRoutes && extra ? { ...object, note: KEPT } : object];
    }
    if (!wanted.has(prefix) || !hasOurMetric(route)) return [];
    return [yieldsToPlan(ownership, route, device) ? object : { ...object, note: FOREIGN }];
  });
}

/** All of the table, and the rules that lead to it, are ours. */
async function heldProof(socket: RouteSocket, tables: KernelTables): Promise<HeldObject[]> {
  const loopback = tables.linkByName("lo")?.index;
  const { rules, routes } = await readProof(socket);
  return [
    ...rules.map((rule) => ({ key: `rule ${formatRule(rule)}`, line: `rule ${formatRule(rule)}` })),
    ...routes.map((route) => ({
      key: `route ${formatPrefix(route.destination)} table ${route.table}`,
      line: `route ${formatRoute(withoutNews(route, loopback), tables.linkName)}`,
    })),
  ];
}

const FOREIGN = "the kernel's is not ours and is left alone";
const KEPT = "not planned; kept until BGP has told everything it knows";

/**
 * Flags (linkdown, offload) tell of devices, not of what was written. The table keeps neither what the
 * kernel adds to each IPv6 route, as `ip -6 route` shows it: the device of a blackhole, the preference.
 */
function withoutNews({ flags: _, ...route }: Route, loopback: number | undefined): Route {
  if (isPrefix4(route.destination)) return route;
  const hung = route.type !== "unicast" && loopback !== undefined ? { device: loopback } : {};
  return { preference: "medium", ...route, ...hung };
}

function heldSysctls({ sysctls }: NodePlan, namespace: string | undefined): HeldObject[] {
  return readSysctls(sysctls, namespace).flatMap((value, index) => {
    const { path } = sysctls[index]!;
    return value === undefined ? [] : [{ key: `sysctl ${path}`, line: renderSysctl(path, value) }];
  });
}
