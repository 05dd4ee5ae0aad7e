/**
 * Faults that nft alone cannot make: what they may be about is led aside at the port by which it would
 * leave, through a pair of veths, and on to that port. Nothing else sees anything of it. On the way the kernel cuts
 * super-packets and finishes checksums (the first of the pair offers no offloads), so that what comes out is
 * what a cable would carry. Pure.
 */

import type { Topology } from "../topology.ts";
import { exitOf, hex, hexSet, markBits, numberOf } from "./marks.ts";
import {
  anyOf,
  counted,
  countersOf,
  emptyChain,
  tables,
  withoutTable,
  words,
} from "./nft-words.ts";
import { type Edge, edgesOf, type Ports, portsOf } from "./place.ts";
import type { FaultRecord } from "./spec.ts";
import { trafficMatches } from "./traffic.ts";

/** The pair of veths. */
export const detour = { entrance: "fault-in", exit: "fault-out" } as const;

const { RETURNED, BAD_CHECKSUM, SPOILED } = markBits;

interface Led {
  readonly id: number;
  readonly edges: readonly Edge[];
  /** What may be concerned: other packets go straight on. */
  readonly matches: readonly string[];
  /** Bits for the BPF program. */
  readonly bits: number;
  /** What is done with those that come out; nothing, for the sake of what comes after all fates. */
  readonly fate?: string;
}

export function needsDetour(faults: readonly FaultRecord[], topology: Topology): boolean {
  return ledAside(faults, topology).length > 0;
}

function ledAside(faults: readonly FaultRecord[], topology: Topology): Led[] {
  return faults.flatMap(({ id, spec }): Led[] => {
    switch (spec.kind) {
      case "small-mtu": {
        const edges = edgesOf(spec, topology);
        if (spec.router) return [];
        const longer = `meta length > ${spec.mtu}`;
        const fate = words(longer, counted(id), "drop");
        // At the port a super-packet counts as a whole, and the Ethernet header, too: some come in vain.
        return [{ id, edges, matches: [longer], bits: 0, fate }];
      }
      case "bad-checksum": {
        const matches = ["ip protocol 4", "udp dport 4789"];
        const fate = words(`meta mark & ${hex(SPOILED)} != 0`, counted(id));
        return [{ id, edges: edgesOf(spec, topology), matches, bits: BAD_CHECKSUM, fate }];
      }
      case "delay": {
        const { traffic } = spec;
        const matches = traffic === undefined ? [""] : trafficMatches(traffic, topology);
        return [{ id, edges: edgesOf(spec, topology), matches, bits: 0 }];
      }
      default:
        return [];
    }
  });
}

/** Of a fault that delays: for each port by which delayed packets leave, a tap device of its own. */
export function lateDevices(
  { id, spec }: FaultRecord,
  topology: Topology,
): readonly { readonly device: string; readonly port: string }[] {
  if (spec.kind !== "delay") return [];
  const exits = new Set(edgesOf(spec, topology).flatMap(({ to }) => exitsOf(to, topology)));
  return [...exits].map((port) => ({ device: `late${id}-${numberOf(port, topology)}`, port }));
}

/** Last on the way back: to the tap, from which a packet goes to its port when its time has come. */
function delayRules(fault: FaultRecord, topology: Topology): string[] {
  const { spec } = fault;
  if (spec.kind !== "delay") return [];
  const { traffic } = spec;
  const devices = lateDevices(fault, topology);
  const matches = traffic === undefined ? [""] : trafficMatches(traffic, topology);
  return [
    ...edgesOf(spec, topology).flatMap(({ from, to }) =>
      devices
        .filter(({ port }) => to === "any" || to.includes(port))
        .flatMap(({ device, port }) =>
          matches.map((match) => {
            const way = words(entryMatch(from, topology), exitMatch([port], topology), match);
            return `add rule ${tables.detour} back ${words(way, `fwd to "${device}"`)}`;
          }),
        ),
    ),
  ];
}

/** From the tap to the port. */
function lateRules(fault: FaultRecord, topology: Topology): string[] {
  const devices = lateDevices(fault, topology);
  if (devices.length === 0) return [];
  const chain = lateChain(fault.id);
  const exits = devices.map(({ device, port }) => `"${device}" : "${port}"`).join(", ");
  return [
    ...emptyChain(tables.detour, chain, lateHook(fault, topology)),
    `add rule ${tables.detour} ${chain} meta mark set ${hex(RETURNED)}`,
    `add rule ${tables.detour} ${chain} fwd to iifname map { ${exits} }`,
  ];
}

function lateChain(id: number): string {
  return `late-${id}`;
}

function lateHook(fault: FaultRecord, topology: Topology): string {
  const devices = lateDevices(fault, topology).map(({ device }) => device);
  return `ingress devices = ${anyOf(devices)} priority 0`;
}

/** What is deleted must be there: it is added first, which does nothing if it is. */
function withoutLateChain(fault: FaultRecord, topology: Topology): string[] {
  if (fault.spec.kind !== "delay") return [];
  const chain = lateChain(fault.id);
  return [
    ...emptyChain(tables.detour, chain, lateHook(fault, topology)),
    `delete chain ${tables.detour} ${chain}`,
  ];
}

/** For the end of the ports' egress chain. */
export function detourRules(faults: readonly FaultRecord[], topology: Topology): string[] {
  const led = ledAside(faults, topology);
  if (led.length === 0) return [];
  const mark = (bits: number) => `meta mark set meta mark | ${hex(bits)}`;
  return [
    ...led.flatMap(({ edges, matches, bits }) =>
      edges.flatMap(({ from, to }) =>
        exitsOf(to, topology).flatMap((port) =>
          matches.map((match) => {
            const way = words(`oifname "${port}"`, entryMatch(from, topology), match);
            return `${way} ${mark(bits | exitOf(port, topology))}`;
          }),
        ),
      ),
    ),
    `meta mark & 0xff00 != 0 fwd to "${detour.entrance}"`,
  ];
}

export function renderDetour(rendering: {
  readonly topology: Topology;
  readonly faults: readonly FaultRecord[];
  readonly gone: readonly FaultRecord[];
  readonly draining?: readonly FaultRecord[];
}): string[] {
  const { topology, faults, gone, draining = [] } = rendering;
  const led = ledAside(faults, topology);
  if (led.length + draining.length === 0) return withoutTable(tables.detour);
  const add = (rule: string) => `add rule ${tables.detour} back ${rule}`;
  const ports = portsOf(topology).map((port) => `${hex(exitOf(port, topology))} : "${port}"`);
  return [
    `add table ${tables.detour}`,
    ...emptyChain(tables.detour, "back", `ingress device "${detour.exit}" priority 0`),
    ...countersOf(tables.detour, { kept: led.map(({ id }) => id), gone: gone.map(({ id }) => id) }),
    ...led.flatMap(({ edges, fate }) =>
      edges.flatMap(({ from, to }) =>
        fate === undefined
          ? []
          : [add(words(entryMatch(from, topology), exitMatch(to, topology), fate))],
      ),
    ),
    ...faults.flatMap((fault) => delayRules(fault, topology)),
    ...[...faults, ...draining].flatMap((fault) => lateRules(fault, topology)),
    ...gone.flatMap((fault) => withoutLateChain(fault, topology)),
    add(`meta mark set meta mark | ${hex(RETURNED)}`),
    add(`fwd to meta mark & 0xff00 map { ${ports.join(", ")} }`),
  ];
}

function exitsOf(to: Ports, topology: Topology): readonly string[] {
  return to === "any" ? portsOf(topology) : to;
}

function entryMatch(from: Ports, topology: Topology): string {
  if (from === "any") return "";
  return `meta mark & 0xff ${hexSet(from.map((port) => numberOf(port, topology)))}`;
}

function exitMatch(to: Ports, topology: Topology): string {
  if (to === "any") return "";
  return `meta mark & 0xff00 ${hexSet(to.map((port) => exitOf(port, topology)))}`;
}
