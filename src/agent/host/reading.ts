/** What is read of the host for its NodeHost: the kernel's tables and a few files; nothing is written. */

import { constants } from "node:fs";
import { access, readFile, readlink } from "node:fs/promises";
import { release } from "node:os";
import { bpfProblem } from "../../dataplane/index.ts";
import { formatAddress, type IpAddress } from "../../lib/index.ts";
import {
  type Link,
  type LinkAddress,
  openEthtool,
  openRouteSocket,
  openSocketDiag,
} from "../../netlink/index.ts";

export interface HostReading {
  /** `uname -r`. */
  readonly kernel: string;
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  /** rp_filter by name of the device, `all` included. */
  readonly rpFilter: ReadonlyMap<string, number>;
  /** Local ports of UDP sockets that are bound to any address, or to one. */
  readonly udpPorts: ReadonlySet<number>;
  readonly modules: { readonly ipip: ModulePresence; readonly vxlan: ModulePresence };
  /** Why BPF cannot carry IP-in-IP; undefined if it can. */
  readonly bpfProblem: string | undefined;
  /** Of the uplink. */
  readonly driver: string | undefined;
  readonly offloads: readonly string[];
  /** Sockets bound to an address of our tunnels, by address. */
  readonly tunnelSockets: ReadonlyMap<string, number>;
}

/** Calico's names of our devices. */
export const TUNNELS: readonly string[] = ["tunl0", "vxlan.calico", "vxlan-v6.calico"];

/** `unknown`: not loaded, and the modules of this kernel are not to be seen from here (a container). */
export type ModulePresence = "present" | "absent" | "unknown";

export interface ReadHostOptions {
  /** Name of the uplink; undefined while there is none. */
  readonly uplink: string | undefined;
  /** Devices whose names begin so are pods'. */
  readonly workloadDevicePrefix: string;
}

/** @throws NETLINK_REFUSED, and what else the kernel answers. */
export async function readHost({
  uplink,
  workloadDevicePrefix,
}: ReadHostOptions): Promise<HostReading> {
  const { links, addresses } = await readTables();
  const device = links.find(({ name }) => name === uplink);
  const names = links
    .map(({ name }) => name)
    .filter((name) => !name.startsWith(workloadDevicePrefix));
  const ipip = await modulePresence("ipip");
  return {
    kernel: release(),
    links,
    addresses,
    rpFilter: await readFilters(["all", ...names]),
    udpPorts: new Set([...(await boundPorts("udp")), ...(await boundPorts("udp6"))]),
    modules: { ipip, vxlan: await modulePresence("vxlan") },
    bpfProblem: ipip === "present" ? undefined : knownBpfProblem(),
    driver: device && (await driverOf(device)),
    offloads: uplink === undefined ? [] : activeOffloads(uplink),
    tunnelSockets: await socketsOf(tunnelAddresses(links, addresses)),
  };
}

async function readTables(): Promise<Pick<HostReading, "links" | "addresses">> {
  const socket = openRouteSocket({ dumpRetries: 5 });
  try {
    return { links: await socket.links(), addresses: await socket.addresses() };
  } finally {
    socket.close();
  }
}

/** Loading the programs costs some milliseconds, and the kernel does not learn while it runs. */
let bpf: { readonly problem: string | undefined } | undefined;

function knownBpfProblem(): string | undefined {
  bpf ??= { problem: bpfProblem() };
  return bpf.problem;
}

async function readFilters(devices: readonly string[]): Promise<Map<string, number>> {
  const filters = new Map<string, number>();
  for (const device of devices) {
    const text = await textOf(`/proc/sys/net/ipv4/conf/${device}/rp_filter`);
    const value = Number(text?.trim());
    if (text !== undefined && Number.isInteger(value)) filters.set(device, value);
  }
  return filters;
}

/** Second column of /proc/net/udp: hexadecimal address and port. */
async function boundPorts(table: "udp" | "udp6"): Promise<number[]> {
  const text = (await textOf(`/proc/self/net/${table}`)) ?? "";
  return [...text.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /gm)].map(([, port = ""]) =>
    Number.parseInt(port, 16),
  );
}

/** Both modules have parameters, so that /sys/module has them also where they are built in. */
async function modulePresence(name: string): Promise<ModulePresence> {
  if (await exists(`/sys/module/${name}`)) return "present";
  const directory = `/lib/modules/${release()}`;
  const lists = await Promise.all(
    ["modules.dep", "modules.builtin"].map((file) => textOf(`${directory}/${file}`)),
  );
  if (lists.every((list) => list === undefined)) return "unknown";
  const file = new RegExp(`(^|/)${name}\\.ko`, "m");
  return lists.some((list) => list !== undefined && file.test(list)) ? "present" : "absent";
}

/** /sys may show another network namespace than this process is in: the MAC address tells. */
async function driverOf({ name, index, mac }: Link): Promise<string | undefined> {
  const directory = `/sys/class/net/${name}`;
  const sameIndex = (await textOf(`${directory}/ifindex`))?.trim() === String(index);
  const sameMac = (await textOf(`${directory}/address`))?.trim() === mac;
  if (!sameIndex || !sameMac) return undefined;
  const path = await readlink(`${directory}/device/driver`).catch(() => undefined);
  return path?.split("/").at(-1);
}

const relevant =
  /^(tx-checksum|tx-udp_tnl|tx-ipxip|tx-gso-partial|tx-generic|tx-tcp|rx-gro|rx-checksum)/;

/** A device that is gone, or a kernel before 5.6, tells nothing. */
function activeOffloads(device: string): string[] {
  const socket = openEthtool();
  try {
    const features = [...socket.features(device)];
    return features
      .flatMap(([name, { active }]) => (active && relevant.test(name) ? [name] : []))
      .sort();
  } catch {
    return [];
  } finally {
    socket.close();
  }
}

function tunnelAddresses(links: readonly Link[], addresses: readonly LinkAddress[]): IpAddress[] {
  const tunnels = new Set(
    links.flatMap(({ name, index }) => (TUNNELS.includes(name) ? [index] : [])),
  );
  return addresses.flatMap(({ index, prefix, scope }) =>
    tunnels.has(index) && scope === "global" ? [prefix.address] : [],
  );
}

/** A kernel without inet_diag tells nothing. */
async function socketsOf(addresses: readonly IpAddress[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  if (addresses.length === 0) return counts;
  try {
    const diag = openSocketDiag();
    try {
      for (const address of addresses) {
        const { length } = await diag.usersOf(address);
        if (length > 0) counts.set(formatAddress(address), length);
      }
    } finally {
      diag.close();
    }
  } catch {
    return new Map();
  }
  return counts;
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
