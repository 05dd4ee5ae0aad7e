/**
 * What the router's namespace has for packets that are led aside: a pair of veths with a program at its
 * entrance, and one at each port.
 */

import { hasCode } from "../../lib/index.ts";
import {
  attachTcFilter,
  BpfObject,
  createClsact,
  detachTcFilter,
  type TcDirection,
  withNamespace,
} from "../../lib/sys/index.ts";
import { openEthtool, openRouteSocket, type RouteSocket } from "../../netlink/index.ts";
import { detour } from "./render-detour.ts";

const objectPath = `${import.meta.dirname}/../../../bpf/fault.bpf.o`;
/** Whole super-packets come in. */
const mtu = 65_535;

interface Place {
  readonly namespace: string;
  readonly ports: readonly string[];
}

/** Makes it unless it is there. @throws SwitchyardError. */
export async function ensureDetour(place: Place): Promise<void> {
  const { namespace, ports } = place;
  const { entrance, exit } = detour;
  const socket = openRouteSocket({ namespace });
  try {
    const there = await socket.link(entrance);
    // It is up last of all.
    if (there?.up) return;
    if (there) await socket.deleteLink(there.index);
    const peer = { name: exit, mtu, up: true };
    const { index } = await socket.createLink({ kind: "veth", name: entrance, mtu, peer });
    withoutOffloads(namespace);
    attach(namespace, { entrance: index, ports: await indicesOf(ports, socket) });
    await socket.changeLink(index, { up: true });
  } finally {
    socket.close();
  }
}

export async function removeDetour({ namespace, ports }: Place): Promise<void> {
  const socket = openRouteSocket({ namespace });
  try {
    const there = await socket.link(detour.entrance);
    if (there === undefined) return;
    const indices = await indicesOf(ports, socket);
    withNamespace(namespace, () => {
      for (const device of indices) detachTcFilter(filterAt(device, "ingress"));
    });
    // Last: it tells that there is something to be removed.
    await socket.deleteLink(there.index);
  } finally {
    socket.close();
  }
}

/**
 * Gives ports the qdisc that programs attach to, as soon as they are made: on a device that is up the kernel
 * drops packets while it is put in.
 */
export function preparePorts(namespace: string, devices: readonly number[]): void {
  try {
    withNamespace(namespace, () => {
      for (const device of devices) createClsact(device);
    });
  } catch (error) {
    // Without libbpf a lab is a lab all the same; the fault that needs it will say so.
    if (!hasCode(error, "PREREQUISITE_MISSING")) throw error;
  }
}

function withoutOffloads(namespace: string): void {
  const ethtool = openEthtool({ namespace });
  try {
    ethtool.setFeatures(detour.entrance, { tx: false, tso: false, gso: false });
  } finally {
    ethtool.close();
  }
}

function attach(
  namespace: string,
  devices: { readonly entrance: number; readonly ports: readonly number[] },
): void {
  const classifiers = ["fault_note", "fault_spoil"] as const;
  const object = BpfObject.load({ path: objectPath, classifiers, maps: [] });
  try {
    const [note, spoil] = classifiers.map((name) => object.program(name)) as [number, number];
    withNamespace(namespace, () => {
      for (const device of [devices.entrance, ...devices.ports]) createClsact(device);
      attachTcFilter(filterAt(devices.entrance, "egress"), spoil);
      for (const device of devices.ports) attachTcFilter(filterAt(device, "ingress"), note);
    });
  } finally {
    object.close();
  }
}

function filterAt(device: number, direction: TcDirection) {
  return { device, direction, priority: 1, handle: 1 };
}

async function indicesOf(names: readonly string[], socket: RouteSocket): Promise<number[]> {
  const links = await socket.links();
  return links.filter(({ name }) => names.includes(name)).map(({ index }) => index);
}
