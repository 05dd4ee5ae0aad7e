/** The VXLAN part of an apply: widened before routes move, narrowed after. */

import { familyOf, formatAddress, type IpAddress } from "../lib/index.ts";
import { fdbDelete, fdbReplace, neighbourDelete, neighbourReplace } from "../netlink/index.ts";
import type { VxlanPlan } from "../plan/index.ts";
import type { ApplyRun } from "./apply-context.ts";
import { readPermanentFdb, readPermanentNeighbours } from "./kernel-tables.ts";
import { ensureVxlanDevice } from "./vxlan-device.ts";
import { diffVxlanEntries, unneeded, type VxlanEntriesDiff } from "./vxlan-entries.ts";
import { writeBatch } from "./write-batch.ts";

export interface VxlanStage {
  readonly ready: boolean;
  /** Gateways on the device that packets would not reach. */
  readonly unreachable: ReadonlySet<IpAddress>;
  readonly diff?: VxlanEntriesDiff;
}

/** Device, neighbours and forwarding entries in place; nothing removed. */
export async function widenVxlan(run: ApplyRun, vxlan: VxlanPlan | undefined): Promise<VxlanStage> {
  const { ledger, socket } = run;
  if (vxlan === undefined) return { ready: false, unreachable: new Set() };
  const changes = ledger.changes;
  const ready = await ledger.attempt(`device ${vxlan.device}`, async () => {
    const held = run.link(vxlan.device);
    const parent = run.link(vxlan.parent)?.index;
    return await ensureVxlanDevice({ socket, plan: vxlan, held, parent });
  });
  if (ledger.changes !== changes || !ready) await run.readAgain();
  const device = run.link(vxlan.device);
  if (device === undefined) return { ready, unreachable: new Set() };
  const diff = await readEntries(run, vxlan, device.index);
  if (diff === undefined) return { ready: false, unreachable: new Set() };
  const name = () => vxlan.device;
  const refusedFdb = await writeBatch(
    socket,
    diff.addFdb.map((item) => ({
      object: `fdb ${item.mac} dev ${vxlan.device}`,
      request: fdbReplace(item, name),
      item,
    })),
    ledger,
  );
  const refusedNeighbours = await writeBatch(
    socket,
    diff.addNeighbours.map((item) => ({
      object: `neighbour ${formatAddress(item.address)} dev ${vxlan.device}`,
      request: neighbourReplace(item, name),
      item,
    })),
    ledger,
  );
  const macs = new Set(refusedFdb.map((entry) => entry.mac));
  const unreachable = new Set<IpAddress>(refusedNeighbours.map((entry) => entry.address));
  for (const { address, mac } of vxlan.neighbours) if (macs.has(mac)) unreachable.add(address);
  return { ready, unreachable, diff };
}

/** undefined if the kernel did not let them be read: nothing is known then, and nothing may be changed. */
async function readEntries(
  { ledger, socket }: ApplyRun,
  { device, local, neighbours: wanted }: VxlanPlan,
  index: number,
): Promise<VxlanEntriesDiff | undefined> {
  let diff: VxlanEntriesDiff | undefined;
  await ledger.attempt(`neighbours dev ${device}`, async () => {
    const neighbours = await readPermanentNeighbours(socket, { index, family: familyOf(local) });
    const fdb = await readPermanentFdb(socket, index);
    diff = diffVxlanEntries({ index, wanted, neighbours, fdb });
    return 0;
  });
  return diff;
}

/** Removes entries that no route needs. */
export async function narrowVxlan(
  run: ApplyRun,
  { device }: VxlanPlan,
  stage: VxlanStage,
): Promise<void> {
  const { ledger, socket } = run;
  if (stage.diff === undefined) return;
  const gateways = new Set(run.routesOn(device).flatMap(({ gateway }) => gateway ?? []));
  const { staleNeighbours, staleFdb } = unneeded(stage.diff, gateways);
  const name = () => device;
  await writeBatch<unknown>(
    socket,
    [
      ...staleNeighbours.map((item) => ({
        object: `neighbour ${formatAddress(item.address)} dev ${device}`,
        request: neighbourDelete(item, name),
        item,
      })),
      ...staleFdb.map((item) => ({
        object: `fdb ${item.mac} dev ${device}`,
        request: fdbDelete(item, name),
        item,
      })),
    ],
    ledger,
  );
}

/** A device that is not planned goes if it carries no route. */
export async function removeVxlan(run: ApplyRun, name: string): Promise<void> {
  const device = run.link(name);
  if (device?.kind !== "vxlan" || run.routesOn(device.name).length > 0) return;
  await run.ledger.attempt(`device ${device.name}`, async () => {
    await run.socket.deleteLink(device.index);
    return 1;
  });
}
