/** Plans for tests, as the planner would make them but written by hand from a sketch of a cluster. */

import { ipv4, prefix4 } from "../lib/index.ts";
import type { NodePlan, RoutePlan } from "../plan/index.ts";

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
    mtu: { host: 1500, pods: 1450 },
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

export const NODES = [1, 2, 3].map((n) => ({
  name: `n${n}`,
  address: `172.139.${n < 3 ? 20 : 30}.${n === 2 ? 76 : 75}`,
  block: `10.244.${n}.0/26`,
  tunnelAddress: `10.244.${n}.0`,
  vxlanMac: `66:00:00:00:00:0${n}`,
}));

/** Plan of the first node of {@link NODES}, which sends everything the same way and receives no other. */
export function contractPlan(encapsulation: "ipip" | "vxlan" | "none"): NodePlan {
  const [local, ...remotes] = NODES;
  return planFor({
    local: local!,
    remotes,
    receive: encapsulation === "none" ? [] : [encapsulation],
    send: (remote) =>
      encapsulation === "none" && remote.name === "n3" ? { via: "172.139.20.1" } : encapsulation,
  });
}
