/**
 * Adds and removes faults. The record says first what shall be, then the kernels are made so. What a
 * killed command left half-way is put right by the next, because each loads the whole.
 */

import { errorText, SwitchyardError } from "../../lib/index.ts";
import { exclusively } from "../exclusive.ts";
import type { LabState } from "../lab-state.ts";
import { labPaths } from "../paths.ts";
import { RecordHolder } from "../record-holder.ts";
import { topologyOf } from "../topology.ts";
import { type DelayContext, endDelay, removeDelay, startDelay } from "./delay.ts";
import { describeFault } from "./describe.ts";
import { countedDrops, heldRpFilters, loadFaults, putBack, setStrict } from "./kernel.ts";
import { counterName } from "./nft-words.ts";
import { renderFaults } from "./render-nft.ts";
import { checkFault, type FaultRecord, type FaultSpec } from "./spec.ts";

/** A fault that the lab has. */
export interface LabFault {
  readonly id: number;
  readonly spec: FaultSpec;
  /** `drop-ipip between node1 and node3`. */
  readonly text: string;
  /** Packets it has dropped or spoiled; undefined where nobody counts. */
  readonly packets: number | undefined;
}

/** @throws INVALID_ARGUMENT for a place the lab does not have, LAB_FAILED. */
export async function addFault(state: LabState, spec: FaultSpec): Promise<LabFault> {
  const checked = checkFault(spec);
  return await changing(state, "lab fault add", async (change) => {
    const { topology, holder } = change;
    const { faults } = holder;
    const id = holder.nextFaultId;
    const plain: FaultRecord = { id, spec: checked, ...zoneOf(id, checked, faults) };
    // Refuses a place the lab does not have before anything is written.
    renderFaults({ topology, faults: [...faults, plain], gone: [] });
    refuseSecond(checked, faults);
    const rpFilter = heldRpFilters(state, checked);
    const added: FaultRecord = { ...plain, ...(rpFilter && { rpFilter }) };
    holder.setFaults([...faults, added], id);
    try {
      await startDelay(change, added);
      await loadFaults(state, { topology, faults: [...faults, added], gone: [] });
      setStrict(state, rpFilter);
    } catch (error) {
      putBack(state, rpFilter);
      await endDelay(change, added);
      removeDelay(change, added);
      holder.setFaults(faults);
      throw new SwitchyardError(
        "LAB_FAILED",
        `the router's kernel does not take ${describeFault(checked)}: ${errorText(error)}`,
        { cause: error },
      );
    }
    return shown(added, new Map([[counterName(id), 0]]));
  });
}

/** @throws INVALID_ARGUMENT when there is no such fault, LAB_FAILED. */
export async function removeFault(state: LabState, id: number): Promise<void> {
  await changing(state, "lab fault remove", async (change) => {
    const fault = change.holder.faults.find((candidate) => candidate.id === id);
    if (fault !== undefined) return await remove(change, [fault]);
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      `the lab has no fault ${id}: \`lab fault list\` shows those it has`,
    );
  });
}

/** Removes all; how many there were. @throws LAB_FAILED. */
export async function removeFaults(state: LabState): Promise<number> {
  return await changing(state, "lab fault remove", async (change) => {
    const { faults } = change.holder;
    await remove(change, faults);
    return faults.length;
  });
}

/** In the order in which they were added. @throws LAB_FAILED when there is no lab. */
export async function listFaults(state: LabState): Promise<readonly LabFault[]> {
  const { faults } = RecordHolder.reopen(labPaths(state.name).stateFile);
  const drops = faults.length === 0 ? new Map<string, number>() : await countedDrops(state);
  return faults.map((fault) => shown(fault, drops));
}

interface Change extends DelayContext {
  readonly state: LabState;
}

async function remove(change: Change, gone: readonly FaultRecord[]): Promise<void> {
  const { state, topology, holder } = change;
  const faults = holder.faults.filter((fault) => !gone.includes(fault));
  // What is being delayed still arrives.
  const draining = gone.filter(({ spec }) => spec.kind === "delay");
  if (draining.length > 0) await loadFaults(state, { topology, faults, gone: [], draining });
  for (const fault of draining) await endDelay(change, fault);
  await loadFaults(state, { topology, faults, gone });
  for (const fault of draining) removeDelay(change, fault);
  for (const { rpFilter } of gone) putBack(state, rpFilter);
  holder.setFaults(faults);
}

/** One zone for all filters that are there at a time, and never again for a later one. */
function zoneOf(id: number, spec: FaultSpec, faults: readonly FaultRecord[]): { zone?: number } {
  if (spec.kind !== "stateful-filter") return {};
  return { zone: faults.find(({ zone }) => zone !== undefined)?.zone ?? id };
}

/** Two would each take the other's strictness for what was there before. */
function refuseSecond(spec: FaultSpec, faults: readonly FaultRecord[]): void {
  if (spec.kind !== "strict-rp-filter") return;
  const other = faults.find(({ rpFilter }) => {
    return rpFilter && (spec.node === undefined || Object.hasOwn(rpFilter, spec.node));
  });
  if (other === undefined) return;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `fault ${other.id} is ${describeFault(other.spec)} already: remove it first`,
  );
}

function shown({ id, spec }: FaultRecord, drops: ReadonlyMap<string, number>): LabFault {
  return { id, spec, text: describeFault(spec), packets: drops.get(counterName(id)) };
}

async function changing<T>(
  state: LabState,
  what: string,
  body: (change: Change) => Promise<T>,
): Promise<T> {
  const paths = labPaths(state.name);
  return await exclusively(paths, what, () => {
    const holder = RecordHolder.reopen(paths.stateFile);
    const { namespace } = state.router;
    return body({ state, namespace, paths, topology: topologyOf(holder.record), holder });
  });
}
