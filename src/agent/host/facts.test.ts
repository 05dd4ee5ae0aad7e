/** What is said of a host, by cases, and that it stays small in a large cluster. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressFromBytes, type Ipv4, ipv4, prefix4 } from "../../lib/index.ts";
import type { NodeFacts } from "../../plan/index.ts";
import type { BgpSessions } from "../bgp-runner.ts";
import { hostReading } from "../testing.ts";
import { type HostInput, hostStatus } from "./facts.ts";
import type { HostReading } from "./reading.ts";

const nodeAt = (name: string, address: Ipv4): NodeFacts => ({
  name,
  ipv4: { address, prefixLength: 24, vxlanMac: "66:00:00:00:00:01" },
});
const peer = (address: string, change: Partial<BgpSessions["peers"][number]> = {}) => ({
  name: address,
  address: ipv4(address),
  remoteAs: 64512,
  state: "Established" as const,
  sinceMs: 0,
  lastError: "",
  routesReceived: 0,
  routesSent: 0,
  endOfRib: true,
  gracefulRestart: false,
  holdTimeSeconds: 90,
  kind: "node-to-node mesh" as const,
  ...change,
});
const input = (change: Partial<HostInput> = {}): HostInput => ({
  node: "node1",
  nodes: [
    nodeAt("node1", ipv4("172.139.20.75")),
    nodeAt("node2", ipv4("172.139.20.76")),
    nodeAt("node3", ipv4("172.139.30.75")),
  ],
  reading: hostReading(),
  host: {
    uplink: { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500, prefixLength: 24 },
    interfaces: [
      { name: "eth0", mtu: 1500, running: true },
      { name: "docker0", mtu: 1500, running: false },
    ],
    routes: [
      { destination: prefix4("172.139.20.0/24"), device: "eth0" },
      { destination: prefix4("0.0.0.0/0"), gateway: ipv4("172.139.20.1"), device: "eth0" },
      { destination: prefix4("10.9.0.0/16"), gateway: ipv4("172.139.20.9"), device: "eth0" },
    ],
  },
  mtuIfacePattern: "^eth.*",
  vxlan: { port: 4789, vni: 4096 },
  ipipBackend: undefined,
  workloadDevicePrefix: "cali",
  podMtus: [1450, 1450, 1480],
  bgp: { localAs: 64512, peers: [peer("172.139.20.76")] },
  missing: [],
  version: "test",
  ...change,
});

test("a host in which nothing is out of the ordinary", () => {
  const { bgp, ...status } = hostStatus(input());
  assert.deepEqual(status.interfaces, [{ name: "eth0", mtu: 1500, running: true }]);
  assert.deepEqual(status.routes, [
    { destination: "172.139.20.0/24", device: "eth0" },
    { destination: "0.0.0.0/0", gateway: "172.139.20.1", device: "eth0" },
  ]);
  assert.deepEqual(status.addresses, [{ device: "eth0", address: "172.139.20.75/24" }]);
  assert.deepEqual(status.tunnels, { ipip: "kernel", vxlan: "kernel" });
  assert.deepEqual(status.podMtus, { 1450: 2, 1480: 1 });
  assert.deepEqual(status.vxlanPortHolders, []);
  assert.deepEqual(bgp, {
    localAs: 64512,
    sessions: 1,
    established: 1,
    peers: [],
    missing: { count: 0, blocks: [] },
  });
});

test("sockets that use a tunnel address are counted", () => {
  const reading = hostReading({ tunnelSockets: new Map([["10.244.1.1", 2]]) });
  assert.deepEqual(hostStatus(input({ reading })).tunnelAddressSockets, { "10.244.1.1": 2 });
});

test("sessions beside the mesh are told, and those of the mesh that are down", () => {
  const { bgp } = hostStatus(
    input({
      bgp: {
        localAs: 64512,
        peers: [
          peer("172.139.20.76"),
          peer("172.139.30.75", { state: "Active", lastError: "no answer" }),
          peer("172.139.20.1", { kind: "global", remoteAs: 65020 }),
        ],
      },
      missing: ["10.244.3.0/26"],
    }),
  );
  assert.deepEqual(bgp, {
    localAs: 64512,
    sessions: 3,
    established: 2,
    peers: [
      {
        address: "172.139.30.75",
        kind: "node-to-node mesh",
        state: "Active",
        remoteAs: 64512,
        reason: "no answer",
      },
      { address: "172.139.20.1", kind: "global", state: "Established", remoteAs: 65020 },
    ],
    missing: { count: 1, blocks: ["10.244.3.0/26"] },
  });
});

const device = (name: string, vxlan: { vni: number; port: number; external?: boolean }) => ({
  ...{ index: 9, name, mtu: 1450, up: true, arp: true, operState: "UNKNOWN", kind: "vxlan" },
  vxlan: { learning: false, ...vxlan },
});
const eth0 = hostReading().links[0]!;
const held: Record<string, { reading: Partial<HostReading>; holders: [string, boolean][] }> = {
  "our own device": {
    reading: {
      links: [eth0, device("vxlan.calico", { vni: 4096, port: 4789 })],
      udpPorts: new Set([4789]),
    },
    holders: [],
  },
  "another device of our VNI": {
    reading: { links: [eth0, device("flannel.1", { vni: 4096, port: 4789 })] },
    holders: [["device flannel.1 (VNI 4096)", true]],
  },
  "another device of another VNI": {
    reading: { links: [eth0, device("flannel.1", { vni: 1, port: 4789 })] },
    holders: [["device flannel.1 (VNI 1)", false]],
  },
  "another device of every VNI": {
    reading: { links: [eth0, device("vxlan_sys_4789", { vni: 0, port: 4789, external: true })] },
    holders: [["device vxlan_sys_4789 (every VNI)", true]],
  },
  "another port": {
    reading: { links: [eth0, device("flannel.1", { vni: 1, port: 8472 })] },
    holders: [],
  },
  "a program": {
    reading: { udpPorts: new Set([53, 4789]) },
    holders: [["a program with a UDP socket", true]],
  },
};
describe("at the VXLAN port:", () => {
  for (const [name, { reading, holders }] of Object.entries(held)) {
    test(name, () => {
      const status = hostStatus(input({ reading: hostReading(reading) }));
      assert.deepEqual(
        status.vxlanPortHolders.map(({ holder, blocks }) => [holder, blocks]),
        holders,
      );
    });
  }
});

const carriers: Record<string, { change: Partial<HostInput>; ipip: string; vxlan: string }> = {
  "no modules, but BPF": {
    change: { reading: hostReading({ modules: { ipip: "absent", vxlan: "absent" } }) },
    ipip: "bpf",
    vxlan: "no vxlan module",
  },
  "no modules and no BPF": {
    change: {
      reading: hostReading({
        modules: { ipip: "absent", vxlan: "absent" },
        bpfProblem: "not permitted",
      }),
    },
    ipip: "no ipip module, and no BPF: not permitted",
    vxlan: "no vxlan module",
  },
  "a container that sees no modules": {
    change: {
      reading: hostReading({ modules: { ipip: "unknown", vxlan: "unknown" }, bpfProblem: "no" }),
    },
    ipip: "unknown",
    vxlan: "unknown",
  },
  "what carries it already": {
    change: {
      ipipBackend: "bpf",
      reading: hostReading({
        modules: { ipip: "unknown", vxlan: "unknown" },
        links: [eth0, device("vxlan.calico", { vni: 4096, port: 4789 })],
      }),
    },
    ipip: "bpf",
    vxlan: "kernel",
  },
};
describe("what carries tunnels:", () => {
  for (const [name, { change, ...wanted }] of Object.entries(carriers)) {
    test(name, () => assert.deepEqual(hostStatus(input(change)).tunnels, wanted));
  }
});

test("it does not grow with a healthy cluster, and little with a broken one", () => {
  const addressOf = (index: number) =>
    addressFromBytes(Uint8Array.of(172, 139, index >> 8, index & 255)) as Ipv4;
  const nodes = Array.from({ length: 1000 }, (_, index) => nodeAt(`n${index}`, addressOf(index)));
  const peers = nodes.map(({ ipv4: of }) => ({ ...peer("172.139.0.1"), address: of!.address }));
  const size = (change: Partial<HostInput>) => JSON.stringify(hostStatus(input(change))).length;
  const small = size({});
  const healthy = size({ nodes, bgp: { localAs: 64512, peers } });
  assert.ok(healthy < small + 100, `${healthy} instead of ${small} bytes`);
  const down = peers.map((one) => ({ ...one, state: "Active" as const, lastError: "no answer" }));
  const missing = nodes.map((_, index) => `10.${index >> 8}.${index & 255}.0/26`);
  const broken = size({ nodes, bgp: { localAs: 64512, peers: down }, missing });
  assert.ok(broken < 12_000, `${broken} bytes`);
});
