/** The address part of an apply: planned ones added early, others that are ours taken away last. */

import { formatPrefix } from "../lib/index.ts";
import { addressDelete, addressReplace, type LinkAddress } from "../netlink/index.ts";
import { diffAddresses } from "./address-diff.ts";
import type { ApplyRun } from "./apply-context.ts";
import { isTunnelDevice } from "./ownership.ts";
import { writeBatch } from "./write-batch.ts";

/** Adds what is missing. */
export async function addAddresses(run: ApplyRun): Promise<void> {
  const { add, homeless } = diff(run);
  for (const { device, prefix } of homeless) {
    const object = `address ${formatPrefix(prefix)} dev ${device}`;
    run.ledger.fail(object, `add ${object}: device ${device} does not exist`);
  }
  const writes = add.map((item) => ({
    object: addressObject(run, item),
    request: addressReplace(item, run.tables.linkName),
    item,
  }));
  await writeBatch(run.socket, writes, run.ledger);
}

/** Removes the others, except from a device that is not planned but still carries routes. */
export async function removeAddresses(run: ApplyRun): Promise<void> {
  const { ipip, vxlan, vxlan6 } = run.plan;
  const planned = new Set([ipip?.device, vxlan?.device, vxlan6?.device]);
  const stale = diff(run).stale.filter((item) => {
    const device = run.tables.linkName(item.index);
    if (device === undefined) return false;
    return !isTunnelDevice(device) || planned.has(device) || run.routesOn(device).length === 0;
  });
  const writes = stale.map((item) => ({
    object: addressObject(run, item),
    request: addressDelete(item, run.tables.linkName),
    item,
  }));
  await writeBatch(run.socket, writes, run.ledger);
}

function diff({ plan, tables }: ApplyRun) {
  return diffAddresses({
    planned: plan.addresses,
    ownership: {
      protocols: plan.ownedProtocols,
      workloadDevicePrefix: plan.workloadDevicePrefix,
    },
    held: tables.addresses,
    deviceIndex: (name) => tables.linkByName(name)?.index,
    deviceName: tables.linkName,
  });
}

function addressObject({ tables }: ApplyRun, { prefix, index }: LinkAddress): string {
  return `address ${formatPrefix(prefix)} dev ${tables.linkName(index)}`;
}
