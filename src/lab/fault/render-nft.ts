/**
 * The nft script that makes the router's kernel have exactly these faults. Pure.
 *
 * Each packet is marked at its port of entry with that port's number, so that at the port of exit, bridged
 * or routed, it is known which way it goes, whatever addresses it bears. The chains stay while there is any
 * fault and only their rules are exchanged, in one transaction: a packet meets the old rules or the new.
 */

import { formatAddress, formatPrefix } from "../../lib/index.ts";
import type { Topology } from "../topology.ts";
import { bridgeNamed, type Edge, edgesOf, nodeNamed, portsOf } from "./place.ts";
import type { FaultRecord, FaultSpec } from "./spec.ts";

const tableName = "switchyard-fault";
export const portTable = `netdev ${tableName}`;
export const filterTable = `inet ${tableName}`;

export interface Rendering {
  readonly topology: Topology;
  readonly faults: readonly FaultRecord[];
  /** Faults that may still be in the kernel and shall go. */
  readonly gone: readonly number[];
}

/** Name of the counter of what a fault has dropped, in the table of its kind. */
export function counterName(id: number): string {
  return `fault-${id}`;
}

/** @throws INVALID_ARGUMENT for a place that the lab does not have. */
export function renderFaults(rendering: Rendering): string {
  return `${[...renderPorts(rendering), ...renderFilters(rendering)].join("\n")}\n`;
}

interface PortRule {
  readonly chain: "ingress" | "egress";
  readonly words: string;
}

function renderPorts({ topology, faults, gone }: Rendering): string[] {
  const kept = faults.map(({ id, spec }) => ({ id, rules: portRules(id, spec, topology) }));
  const active = kept.filter(({ rules }) => rules.length > 0);
  if (active.length === 0) return withoutTable(portTable);
  const ports = portsOf(topology);
  const numbers = ports.map((port, index) => `"${port}" : ${index + 1}`).join(", ");
  return [
    `add table ${portTable}`,
    ...["ingress", "egress"].flatMap((hook) => [
      `add chain ${portTable} ${hook} { type filter hook ${hook} devices = ${anyOf(ports)} priority 0; }`,
      `flush chain ${portTable} ${hook}`,
    ]),
    ...countersOf(portTable, { kept: active.map(({ id }) => id), gone }),
    `add rule ${portTable} ingress meta mark set iifname map { ${numbers} }`,
    ...active.flatMap(({ rules }) =>
      rules.map(({ chain, words }) => `add rule ${portTable} ${chain} ${words}`),
    ),
  ];
}

function portRules(id: number, spec: FaultSpec, topology: Topology): PortRule[] {
  if (spec.kind === "stateful-filter") return [];
  if (spec.kind === "strict-rp-filter") {
    if (spec.node !== undefined) nodeNamed(spec.node, topology);
    return [];
  }
  const edges = edgesOf(spec, topology);
  const dropped = (edge: Edge, match: string) => dropRule(edge, { id, match, topology });
  switch (spec.kind) {
    case "drop-ipip":
      return edges.map((edge) => dropped(edge, "ip protocol 4"));
    case "drop-vxlan":
      return edges.map((edge) => dropped(edge, "udp dport 4789"));
    case "cut":
      return edges.map((edge) => dropped(edge, ""));
    case "loss":
      return edges.map((edge) => {
        return dropped(edge, `numgen random mod 100000 < ${Math.round(spec.percent * 1000)}`);
      });
    case "source-check":
      return topology.nodes.flatMap(({ name, address, address6 }) =>
        edges
          .filter(({ from }) => from === "any" || from.includes(name))
          .flatMap(({ to }) => {
            const edge = { from: [name], to };
            const own6 = ["::", "fe80::/10", ...(address6 ? [formatAddress(address6)] : [])];
            return [
              dropped(edge, `ip saddr != ${formatAddress(address)}`),
              dropped(edge, `ip6 saddr != { ${own6.join(", ")} }`),
            ];
          }),
      );
  }
}

/** What goes anywhere is dropped where it comes in, so that the router itself does not get it either. */
function dropRule(
  { from, to }: Edge,
  drop: { readonly id: number; readonly match: string; readonly topology: Topology },
): PortRule {
  const verdict = `counter name "${counterName(drop.id)}" drop`;
  if (to === "any" && from !== "any") {
    return { chain: "ingress", words: words(`iifname ${anyOf(from)}`, drop.match, verdict) };
  }
  const marks = from === "any" ? "" : `meta mark ${anyNumber(from, drop.topology)}`;
  const exit = to === "any" ? "" : `oifname ${anyOf(to)}`;
  return { chain: "egress", words: words(exit, marks, drop.match, verdict) };
}

/** The real thing: connection tracking where the router forwards between its subnets. */
function renderFilters({ topology, faults, gone }: Rendering): string[] {
  const filters = faults.flatMap(({ id, spec, zone }) =>
    spec.kind === "stateful-filter" ? [{ id, spec, zone }] : [],
  );
  if (filters.length === 0) return withoutTable(filterTable);
  const { outside, subnets } = topology;
  const hosts = [...subnets, outside];
  const hosts4 = hosts.map(({ prefix }) => formatPrefix(prefix)).join(", ");
  const hosts6 = hosts.map(({ prefix6 }) => formatPrefix(prefix6)).join(", ");
  const matches = {
    ipip: ["ip protocol 4"],
    vxlan: ["udp dport 4789"],
    pods: [`ip saddr != { ${hosts4} }`, `ip6 saddr != { ${hosts6}, fe80::/10 }`],
  };
  return [
    `add table ${filterTable}`,
    `add chain ${filterTable} prerouting { type filter hook prerouting priority raw; }`,
    `flush chain ${filterTable} prerouting`,
    // A zone of its own: flows that the kernel has seen before do not count.
    `add rule ${filterTable} prerouting ct zone set ${filters[0]!.zone}`,
    `add chain ${filterTable} transit { type filter hook forward priority filter; }`,
    `flush chain ${filterTable} transit`,
    ...countersOf(filterTable, { kept: filters.map(({ id }) => id), gone }),
    ...filters.flatMap(({ id, spec }) => {
      const [from, to] = spec.between.map((name) => bridgeNamed(name, topology));
      const traffic = spec.traffic === undefined ? Object.values(matches) : [matches[spec.traffic]];
      return traffic.flat().map((match) => {
        const way = `iifname "${from}" oifname "${to}" ct state new,invalid,untracked`;
        const verdict = `counter name "${counterName(id)}" drop`;
        return `add rule ${filterTable} transit ${words(way, match, verdict)}`;
      });
    }),
  ];
}

function countersOf(
  table: string,
  ids: { readonly kept: readonly number[]; readonly gone: readonly number[] },
): string[] {
  const add = (id: number) => `add counter ${table} ${counterName(id)}`;
  return [
    ...ids.kept.map(add),
    // What is deleted must be there: it is added first, which does nothing if it is.
    ...ids.gone.flatMap((id) => [add(id), `delete counter ${table} ${counterName(id)}`]),
  ];
}

function withoutTable(table: string): string[] {
  return [`add table ${table}`, `delete table ${table}`];
}

function anyOf(names: readonly string[]): string {
  return `{ ${names.map((name) => `"${name}"`).join(", ")} }`;
}

function anyNumber(ports: readonly string[], topology: Topology): string {
  const all = portsOf(topology);
  return `{ ${ports.map((port) => all.indexOf(port) + 1).join(", ")} }`;
}

function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
