/**
 * The nft script that makes the router's kernel have exactly these faults. Pure.
 *
 * Each packet is marked at its port of entry with that port's number, so that at the port of exit, bridged
 * or routed, it is known which way it goes, whatever addresses it bears. The chains stay while there is any
 * fault and only their rules are exchanged, in one transaction: a packet meets the old rules or the new.
 */

import type { Topology } from "../topology.ts";
import { hex, markBits } from "./marks.ts";
import { anyOf, countersOf, emptyChain, tables, withoutTable } from "./nft-words.ts";
import { edgesOf, nodeNamed, portsOf } from "./place.ts";
import { detourRules, renderDetour } from "./render-detour.ts";
import { dropRules } from "./render-drops.ts";
import { renderFilters } from "./render-filters.ts";
import type { FaultRecord, FaultSpec } from "./spec.ts";

export interface Rendering {
  readonly topology: Topology;
  readonly faults: readonly FaultRecord[];
  /** Faults that may still be in the kernel and shall go. */
  readonly gone: readonly FaultRecord[];
  /** Those of them whose packets are still under way. */
  readonly draining?: readonly FaultRecord[];
}

/** @throws INVALID_ARGUMENT for a place that the lab does not have. */
export function renderFaults(rendering: Rendering): string {
  const { topology, faults } = rendering;
  for (const { spec } of faults) checkPlace(spec, topology);
  const lines = [
    ...renderPorts(rendering),
    ...renderDetour(rendering),
    ...renderFilters(rendering),
  ];
  return `${lines.join("\n")}\n`;
}

function renderPorts({ topology, faults, gone }: Rendering): string[] {
  const kept = faults.map((fault) => ({ id: fault.id, rules: dropRules(fault, topology) }));
  const active = kept.filter(({ rules }) => rules.length > 0);
  const aside = detourRules(faults, topology);
  if (active.length === 0 && aside.length === 0) return withoutTable(tables.port);
  const ports = portsOf(topology);
  const { RETURNED, UNFINISHED } = markBits;
  const numbers = (bits: number) =>
    ports.map((port, index) => `"${port}" : ${hex(bits | (index + 1))}`).join(", ");
  const add = (chain: string, rule: string) => `add rule ${tables.port} ${chain} ${rule}`;
  return [
    `add table ${tables.port}`,
    ...["ingress", "egress"].flatMap((hook) =>
      emptyChain(tables.port, hook, `${hook} devices = ${anyOf(ports)} priority 0`),
    ),
    ...countersOf(tables.port, {
      kept: active.map(({ id }) => id),
      gone: gone.map(({ id }) => id),
    }),
    add("ingress", `meta mark 0 meta mark set iifname map { ${numbers(0)} }`),
    add(
      "ingress",
      `meta mark ${hex(UNFINISHED)} meta mark set iifname map { ${numbers(UNFINISHED)} }`,
    ),
    // What comes back was here before.
    add("egress", `meta mark & ${hex(RETURNED)} != 0 accept`),
    ...active.flatMap(({ rules }) => rules.map(({ chain, rule }) => add(chain, rule))),
    ...aside.map((rule) => add("egress", rule)),
  ];
}

function checkPlace(spec: FaultSpec, topology: Topology): void {
  if (spec.kind === "stateful-filter") return;
  if (spec.kind !== "strict-rp-filter") edgesOf(spec, topology);
  else if (spec.node !== undefined) nodeNamed(spec.node, topology);
}
