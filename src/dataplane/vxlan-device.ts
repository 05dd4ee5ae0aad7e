/** The VXLAN device: exactly as planned, made anew only where the kernel cannot change what differs. */

import { formatAddress } from "../lib/index.ts";
import type { Link, RouteSocket, VxlanAttributes } from "../netlink/index.ts";
import type { VxlanPlan } from "../plan/index.ts";

export interface VxlanDeviceInput {
  readonly socket: RouteSocket;
  readonly plan: VxlanPlan;
  /** The device of that name, if there is one. */
  readonly held: Link | undefined;
  /** Index of the planned parent. */
  readonly parent: number | undefined;
}

/** Number of changes made. @throws what the kernel says. */
export async function ensureVxlanDevice(input: VxlanDeviceInput): Promise<number> {
  const { socket, plan, held, parent } = input;
  if (parent === undefined) {
    throw new Error(`create device ${plan.device}: its parent ${plan.parent} does not exist`);
  }
  const vxlan: VxlanAttributes = {
    vni: plan.vni,
    port: plan.port,
    local: plan.local,
    device: parent,
    learning: false,
  };
  if (held !== undefined && mismatches(held, plan, vxlan).length === 0) {
    return await adjust(socket, held, plan);
  }
  if (held !== undefined) await socket.deleteLink(held.index);
  const { device: name, mac, mtu } = plan;
  await socket.createLink({ kind: "vxlan", name, mac, mtu, up: true, vxlan });
  return held === undefined ? 1 : 2;
}

/** What differs of that which is fixed when a device is made; in the order of dataplane.md 3.2. */
export function mismatches(held: Link, plan: VxlanPlan, wanted: VxlanAttributes): string[] {
  const has = held.vxlan;
  if (held.kind !== "vxlan" || has === undefined) return [`kind ${held.kind ?? "unknown"}`];
  const local = has.local === undefined ? "none" : formatAddress(has.local);
  return [
    ...(has.vni === wanted.vni ? [] : [`vni ${has.vni}`]),
    ...(has.device === wanted.device ? [] : [`parent ${has.device ?? "none"}`]),
    ...(has.local === wanted.local ? [] : [`local ${local}`]),
    ...(has.port === wanted.port ? [] : [`port ${has.port}`]),
    ...(has.learning === wanted.learning ? [] : ["learning"]),
    ...(held.mac === plan.mac ? [] : [`mac ${held.mac ?? "none"}`]),
  ];
}

async function adjust(socket: RouteSocket, held: Link, plan: VxlanPlan): Promise<number> {
  if (held.up && held.mtu === plan.mtu) return 0;
  await socket.changeLink(held.index, { mtu: plan.mtu, up: true });
  return 1;
}
