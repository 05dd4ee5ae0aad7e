/** Network namespaces for the IP-in-IP tests: made by `ip`, so that the tests check our code against it. */

import { execFileSync } from "node:child_process";
import type { IpipState } from "../../src/dataplane/ipip/index.ts";
import { ipv4, prefix4 } from "../../src/lib/index.ts";

let serial = 0;

/** Runs a shell script; its standard output. Fails with the script's words. */
export function sh(script: string): string {
  return execFileSync("sh", ["-ec", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** A set of namespaces that goes as a whole. */
export class Namespaces {
  readonly #prefix = `ipip${process.pid}x${serial++}`;
  readonly #names: string[] = [];

  /** Makes a namespace; its full name. */
  add(name: string): string {
    const full = `${this.#prefix}${name}`;
    sh(`ip netns add ${full}; ip -n ${full} link set lo up`);
    this.#names.push(full);
    return full;
  }

  remove(): void {
    for (const name of this.#names.splice(0)) sh(`ip netns delete ${name}`);
  }
}

export const pathOf = (namespace: string): string => `/run/netns/${namespace}`;

/** `ip -n NAMESPACE ...`, one command per line of `commands`. */
export function ip(namespace: string, commands: string): void {
  const lines = commands.split("\n").filter((line) => line.trim() !== "");
  sh(lines.map((line) => `ip -n ${namespace} ${line.trim()}`).join("\n"));
}

/** `tc ...` in a namespace, without the remounts of `ip netns exec`. */
export function tc(namespace: string, command: string): string {
  return sh(`nsenter --net=${pathOf(namespace)} tc ${command}`);
}

export interface Device {
  readonly index: number;
  readonly mac: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly kind: string | undefined;
}

/** What `ip -j -d link show` says; undefined if there is no such device. */
export function device(namespace: string, name: string): Device | undefined {
  const links = JSON.parse(sh(`ip -n ${namespace} -j -d link show`)) as {
    ifindex: number;
    ifname: string;
    address: string;
    mtu: number;
    flags: string[];
    linkinfo?: { info_kind: string };
  }[];
  const link = links.find(({ ifname }) => ifname === name);
  if (!link) return undefined;
  const { ifindex: index, address: mac, mtu, flags } = link;
  return { index, mac, mtu, flags, kind: link.linkinfo?.info_kind };
}

export interface NodeOptions {
  readonly namespace: string;
  readonly uplink?: string;
  readonly local: string;
  readonly senders: readonly string[];
  /** `PREFIX via NODE`. */
  readonly destinations: readonly string[];
  readonly mtu?: number;
  readonly accept?: boolean;
}

/** The tunnel's state on a node, in words. */
export function stateOf(options: NodeOptions): IpipState {
  const uplink = device(options.namespace, options.uplink ?? "eth0");
  if (!uplink) throw new Error(`${options.namespace} has no uplink`);
  return {
    device: "tunl0",
    mtu: options.mtu ?? 1480,
    uplink: uplink.index,
    uplinkMac: uplink.mac,
    local: ipv4(options.local),
    accept: options.accept ?? true,
    senders: options.senders.map((sender) => ipv4(sender)),
    destinations: options.destinations.map((text) => {
      const [prefix = "", node = ""] = text.split(" via ");
      return { prefix: prefix4(prefix), node: ipv4(node) };
    }),
  };
}

/** Two nodes in one subnet: `n1` 172.139.20.75 with block 10.244.1.0/26, `n2` .76 with 10.244.2.0/26. */
export function twoNodes(namespaces: Namespaces): readonly [string, string] {
  const n1 = namespaces.add("a");
  const n2 = namespaces.add("b");
  ip(n1, `link add eth0 type veth peer name eth0 netns ${n2}`);
  ip(n1, "addr add 172.139.20.75/24 dev eth0\nlink set eth0 up");
  ip(n2, "addr add 172.139.20.76/24 dev eth0\nlink set eth0 up");
  return [n1, n2];
}

/** The tunnel address and the routes as the dataplane would set them. */
export function address(
  namespace: string,
  options: { own: string; routes: readonly string[] },
): void {
  ip(
    namespace,
    [
      `addr add ${options.own}/32 dev tunl0`,
      ...options.routes.map((route) => `route replace ${route} dev tunl0 proto bird onlink`),
    ].join("\n"),
  );
}
