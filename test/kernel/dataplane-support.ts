/** Namespaces, hand-written plans and a probe for the tests of the dataplane. */

import { execFileSync } from "node:child_process";
import { type Dataplane, openDataplane } from "../../src/dataplane/index.ts";
import { ipv4, prefix4, systemClock } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";
import { createNamespace, deleteNamespace, namespacePath } from "../../src/lib/sys/index.ts";
import type { NodePlan, RoutePlan } from "../../src/plan/index.ts";

/** Why kernel tests cannot run here; undefined when they can. */
export function obstacleToKernelTests(): string | undefined {
  try {
    deleteNamespace(createNamespace(`sydp${process.pid}probe`).split("/").at(-1)!);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here: ${(error as Error).message}`;
  }
}

let count = 0;

/** Namespaces of one test; `close` removes them all. */
export class Namespaces {
  readonly #names: string[] = [];

  /** A new namespace with `lo` up; its name. */
  make(label: string): string {
    const name = `sydp${process.pid}-${count++}-${label}`;
    createNamespace(name, { loopback: true });
    this.#names.push(name);
    return name;
  }

  close(): void {
    for (const name of this.#names.splice(0)) deleteNamespace(name);
  }
}

/** Standard output of a command inside a namespace. */
export function inside(name: string, command: string): string {
  const args = [`--net=${namespacePath(name)}`, "sh", "-ec", command];
  return execFileSync("nsenter", args, { encoding: "utf8" });
}

/** Lines without trailing blanks. */
export function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
}

export async function openIn(name: string, ipip?: "kernel" | "bpf"): Promise<Dataplane> {
  return await openDataplane({
    namespace: namespacePath(name),
    clock: systemClock,
    log: silentLog,
    firewallCheckMs: 0,
    ...(ipip === undefined ? {} : { ipip }),
  });
}

export interface NodeSketch {
  readonly name: string;
  readonly address: string;
  readonly block: string;
  readonly tunnelAddress: string;
  readonly vxlanMac: string;
}

export interface PlanSketch {
  readonly local: NodeSketch;
  readonly remotes: readonly NodeSketch[];
  /** What is sent to each remote node; a gateway for `none` beyond the subnet. */
  readonly send: (remote: NodeSketch) => "ipip" | "vxlan" | "none" | { readonly via: string };
  readonly receive: readonly ("ipip" | "vxlan")[];
  /** Protocol of plain and VXLAN routes as the pool's mode has it. */
  readonly plainProtocol?: number;
  readonly pods?: readonly { readonly address: string; readonly device: string }[];
  readonly natOutgoing?: boolean;
  readonly uplink?: string;
  readonly change?: Partial<NodePlan>;
}

export const POOL = "10.244.0.0/16";

/** A plan as the planner would make it, but written here by hand. */
export function planFor(sketch: PlanSketch): NodePlan {
  const { local, remotes, receive, uplink = "eth0" } = sketch;
  const senders = remotes.map((node) => prefix4(`${node.address}/32`));
  const tunnels = { ipip: receive.includes("ipip"), vxlan: receive.includes("vxlan") };
  const devices = [
    uplink,
    ...(tunnels.ipip ? ["tunl0"] : []),
    ...(tunnels.vxlan ? ["vxlan.calico"] : []),
  ];
  return {
    node: local.name,
    uplink,
    ...(tunnels.ipip && {
      ipip: {
        device: "tunl0",
        mtu: 1480,
        local: ipv4(local.address),
        uplink,
        accept: true,
        senders: remotes.map((node) => ipv4(node.address)),
        destinations: remotes.map((node) => ({
          prefix: prefix4(node.block),
          node: ipv4(node.address),
        })),
      },
    }),
    ...(tunnels.vxlan && {
      vxlan: {
        device: "vxlan.calico",
        vni: 4096,
        port: 4789,
        local: ipv4(local.address),
        parent: uplink,
        mac: local.vxlanMac,
        mtu: 1450,
        neighbours: remotes.map((node) => ({
          address: ipv4(node.tunnelAddress),
          mac: node.vxlanMac,
          node: ipv4(node.address),
        })),
      },
    }),
    addresses: devices
      .slice(1)
      .map((device) => ({ device, prefix: prefix4(`${local.tunnelAddress}/32`) })),
    routes: routesFor(sketch),
    firewall: {
      pools: [prefix4(POOL)],
      masqueradedPools: sketch.natOutgoing ? [prefix4(POOL)] : [],
      excludedHosts: [],
      ...(tunnels.ipip && { ipipSenders: senders }),
      ...(tunnels.vxlan && { vxlanSenders: senders }),
      vxlanPort: 4789,
      tunnels: devices.slice(1),
    },
    sysctls: [
      { path: "net/ipv4/ip_forward", value: "1", reason: "test" },
      ...devices.map((device) => ({
        path: `net/ipv4/conf/${device}/rp_filter`,
        value: "2",
        onlyIfStrict: true,
        reason: "test",
      })),
    ],
    destinations: [],
    ownedProtocols: [12, 80],
    workloadDevicePrefix: "cali",
    keepUnplannedRoutes: false,
    ...sketch.change,
  };
}

function routesFor({ local, remotes, send, pods = [], uplink = "eth0", ...sketch }: PlanSketch) {
  const routes: RoutePlan[] = [
    {
      kind: "blackhole",
      destination: prefix4(local.block),
      scope: "global",
      protocol: 12,
      reason: "own block",
    },
  ];
  for (const { address, device } of pods) {
    const destination = prefix4(`${address}/32`);
    routes.push({
      kind: "unicast",
      destination,
      device,
      scope: "link",
      protocol: 3,
      reason: "pod",
    });
  }
  for (const remote of remotes) {
    const way = send(remote);
    const common = {
      kind: "unicast",
      destination: prefix4(remote.block),
      scope: "global",
      reason: "remote block",
    } as const;
    const gateway = ipv4(remote.address);
    if (way === "ipip") {
      routes.push({ ...common, gateway, device: "tunl0", onlink: true, protocol: 12 });
    } else if (way === "vxlan") {
      const device = "vxlan.calico";
      const tunnel = ipv4(remote.tunnelAddress);
      routes.push({ ...common, gateway: tunnel, device, onlink: true, protocol: 80 });
    } else {
      const plain = way === "none" ? gateway : ipv4(way.via);
      const protocol = sketch.plainProtocol ?? 12;
      routes.push({ ...common, gateway: plain, device: uplink, protocol });
    }
  }
  return routes;
}
