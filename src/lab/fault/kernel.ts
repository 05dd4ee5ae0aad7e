/** Faults in the kernels of a lab: the router's nft tables, the hosts' reverse-path filters. */

import { nft } from "../../dataplane/index.ts";
import { hasCode, parseJson } from "../../lib/index.ts";
import type { LabState } from "../lab-state.ts";
import { ensureDetour, removeDetour } from "./detour.ts";
import { tables } from "./nft-words.ts";
import { portsOf } from "./place.ts";
import { needsDetour } from "./render-detour.ts";
import { type Rendering, renderFaults } from "./render-nft.ts";
import { setRouterMtu } from "./router-mtu.ts";
import { makeStrict, type RpFilters, readRpFilters, restoreRpFilters } from "./rp-filter.ts";
import type { FaultSpec } from "./spec.ts";

/** Makes the router's kernel have these and no other. @throws SwitchyardError. */
export async function loadFaults(state: LabState, rendering: Rendering): Promise<void> {
  const { namespace } = state.router;
  const script = renderFaults(rendering);
  const { topology, faults, draining = [] } = rendering;
  const aside = needsDetour([...faults, ...draining], topology);
  const place = { namespace, ports: portsOf(topology) };
  if (aside) await ensureDetour(place);
  await nft({ namespace, arguments: ["-f", "-"], script });
  if (!aside) await removeDetour(place);
  await setRouterMtu(namespace, rendering);
}

/** Packets dropped so far, by the name of the counter. */
export async function countedDrops(state: LabState): Promise<ReadonlyMap<string, number>> {
  const counted = new Map<string, number>();
  for (const table of Object.values(tables)) {
    for (const { name, packets } of await countersIn(state.router.namespace, table)) {
      counted.set(name, packets);
    }
  }
  return counted;
}

interface Counter {
  readonly name: string;
  readonly packets: number;
}

async function countersIn(namespace: string, table: string): Promise<readonly Counter[]> {
  const [family, name] = table.split(" ") as [string, string];
  try {
    const text = await nft({ namespace, arguments: ["-j", "list", "table", family, name] });
    const { nftables } = parseJson(text) as { nftables: readonly { counter?: Counter }[] };
    return nftables.flatMap(({ counter }) => (counter === undefined ? [] : [counter]));
  } catch (error) {
    // Without a fault of its sort there is no such table.
    if (hasCode(error, "COMMAND_FAILED")) return [];
    throw error;
  }
}

/** Value by device, by node. */
export type HeldRpFilters = Readonly<Record<string, RpFilters>>;

/** What the nodes that this fault is about have now. */
export function heldRpFilters(state: LabState, spec: FaultSpec): HeldRpFilters | undefined {
  if (spec.kind !== "strict-rp-filter") return undefined;
  const nodes = state.nodes.filter(({ name }) => spec.node === undefined || name === spec.node);
  return Object.fromEntries(nodes.map(({ name, namespace }) => [name, readRpFilters(namespace)]));
}

export function setStrict(state: LabState, held: HeldRpFilters = {}): void {
  for (const { name, namespace } of state.nodes) if (held[name]) makeStrict(namespace);
}

export function putBack(state: LabState, held: HeldRpFilters = {}): void {
  for (const { name, namespace } of state.nodes) {
    const before = held[name];
    if (before) restoreRpFilters(namespace, before);
  }
}
