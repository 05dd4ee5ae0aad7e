/**
 * Faults that nft alone cannot make: what they may be about is led aside at the port by which it would
 * leave, through a pair of veths, and on to that port. Nothing else sees anything of it. On the way the kernel cuts
 * super-packets and finishes checksums (the first of the pair offers no offloads), so that what comes out is
 * what a cable would carry. Pure.
 */

import type { Topology } from "../topology.ts";
import { exitOf, hex, hexSet, markBits, numberOf } from "./marks.ts";
import { counted, countersOf, emptyChain, tables, withoutTable, words } from "./nft-words.ts";
import { type Edge, edgesOf, type Ports, portsOf } from "./place.ts";
import type { FaultRecord } from "./spec.ts";

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
  /** What is done with those that come out. */
  readonly fate: string;
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
      default:
        return [];
    }
  });
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
  readonly gone: readonly number[];
}): string[] {
  const { topology, faults, gone } = rendering;
  const led = ledAside(faults, topology);
  if (led.length === 0) return withoutTable(tables.detour);
  const add = (rule: string) => `add rule ${tables.detour} back ${rule}`;
  const ports = portsOf(topology).map((port) => `${hex(exitOf(port, topology))} : "${port}"`);
  return [
    `add table ${tables.detour}`,
    ...emptyChain(tables.detour, "back", `ingress device "${detour.exit}" priority 0`),
    ...countersOf(tables.detour, { kept: led.map(({ id }) => id), gone }),
    ...led.flatMap(({ edges, fate }) =>
      edges.map(({ from, to }) =>
        add(words(entryMatch(from, topology), exitMatch(to, topology), fate)),
      ),
    ),
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
