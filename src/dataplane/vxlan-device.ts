/** The VXLAN device: exactly as planned, made anew only where the kernel cannot change what differs. */

import type { IpAddress } from "../lib/index.ts";
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
  if (held !== undefined && fixedMismatches(held, vxlan).length === 0) {
    return (
      (await reparent({ socket, held, plan, wanted: vxlan })) + (await adjust(socket, held, plan))
    );
  }
  if (held !== undefined) await socket.deleteLink(held.index);
  const { device: name, mac, mtu } = plan;
  await socket.createLink({ kind: "vxlan", name, mac, mtu, up: true, vxlan });
  return held === undefined ? 1 : 2;
}

/** What differs of that which is fixed when a device is made; in the order of dataplane.md 3.2. */
function fixedMismatches(held: Link, wanted: VxlanAttributes): string[] {
  const has = held.vxlan;
  if (held.kind !== "vxlan" || has === undefined) return [`kind ${held.kind ?? "unknown"}`];
  const family = (address: IpAddress | undefined) => typeof address;
  return [
    ...(has.vni === wanted.vni ? [] : [`vni ${has.vni}`]),
    ...(has.port === wanted.port ? [] : [`port ${has.port}`]),
    ...(has.learning === wanted.learning ? [] : ["learning"]),
    ...(family(has.local) === family(wanted.local) ? [] : ["family"]),
  ];
}

interface Reparenting {
  readonly socket: RouteSocket;
  readonly held: Link;
  readonly plan: VxlanPlan;
  readonly wanted: VxlanAttributes;
}

/**
 * The node's address or its device has changed. The kernel (vxlan_changelink) takes both on a device that
 * runs: its routes, neighbours and forwarding entries stay, where a new device would begin without.
 */
async function reparent(change: Reparenting): Promise<number> {
  const { socket, held, plan, wanted } = change;
  const { device, local } = wanted;
  const moved = held.vxlan?.device !== device || held.vxlan?.local !== local;
  if (!moved && held.mac === plan.mac) return 0;
  await socket.changeLink(held.index, {
    ...(moved && {
      vxlan: { ...(device !== undefined && { device }), ...(local !== undefined && { local }) },
    }),
    ...(held.mac !== plan.mac && { mac: plan.mac }),
  });
  return 1;
}

async function adjust(socket: RouteSocket, held: Link, plan: VxlanPlan): Promise<number> {
  if (held.up && held.mtu === plan.mtu) return 0;
  await socket.changeLink(held.index, { mtu: plan.mtu, up: true });
  return 1;
}
