/** The BPF backend of IP-in-IP between namespaces: what it carries, what it refuses, what it leaves. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type IpipBackend, openIpipBackend } from "../../src/dataplane/ipip/index.ts";
import { addressAt, prefix4 } from "../../src/lib/index.ts";
import {
  address,
  device,
  ip,
  Namespaces,
  pathOf,
  sh,
  stateOf,
  tc,
  twoNodes,
} from "./ipip-namespaces.ts";
import { probe, probeSegmented, startEcho, transfer } from "./ipip-traffic.ts";

/** How long to wait for replies that must not come. */
const NO_REPLIES_MS = 300;

const openBpf = (namespace: string): Promise<IpipBackend> =>
  openIpipBackend({ namespace: pathOf(namespace), prefer: "bpf" });

describe("two nodes in one subnet", () => {
  const namespaces = new Namespaces();
  let n1: string;
  let n2: string;
  let b1: IpipBackend;
  let b2: IpipBackend;
  let echo: { close(): void };
  const state1 = () =>
    stateOf({
      namespace: n1,
      local: "172.139.20.75",
      senders: ["172.139.20.76"],
      destinations: ["10.244.2.0/26 via 172.139.20.76"],
    });
  const state2 = () =>
    stateOf({
      namespace: n2,
      local: "172.139.20.76",
      senders: ["172.139.20.75"],
      destinations: ["10.244.1.0/26 via 172.139.20.75"],
    });
  const probe2 = (bytes: number, waitMs = 5000) =>
    probe({
      from: { namespace: n1, address: "10.244.1.0" },
      to: "10.244.2.0",
      bytes,
      count: 50,
      waitMs,
    });

  before(async () => {
    [n1, n2] = twoNodes(namespaces);
    b1 = await openBpf(n1);
    b2 = await openBpf(n2);
    await b1.apply(state1());
    await b2.apply(state2());
    address(n1, { own: "10.244.1.0", routes: ["10.244.2.0/26 via 172.139.20.76"] });
    address(n2, { own: "10.244.2.0", routes: ["10.244.1.0/26 via 172.139.20.75"] });
    echo = await startEcho({ namespace: n2, address: "10.244.2.0" });
  });
  after(() => {
    echo.close();
    b1.close();
    b2.close();
    namespaces.remove();
  });

  it("shows tunl0 and its routes as an operator knows them", () => {
    const tunl0 = device(n1, "tunl0");
    assert.equal(tunl0?.kind, "ifb");
    assert.equal(tunl0?.mtu, 1480);
    assert.equal(tunl0?.mac, device(n1, "eth0")?.mac);
    assert.ok(tunl0?.flags.includes("UP") && tunl0.flags.includes("NOARP"));
    assert.equal(
      sh(`ip -n ${n1} route | grep bird`).trim(),
      "10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink",
    );
  });

  for (const bytes of [4, 1400, 1452, 1453, 4000, 60_000]) {
    it(`carries datagrams of ${bytes} bytes there and back`, async () => {
      const before = await b1.counters();
      const result = await probe2(bytes);
      assert.deepEqual(result, { sent: 50, received: 50, reordered: 0, intact: true });
      const counters = await b1.counters();
      assert.ok(counters.encapsulated - before.encapsulated >= 50);
      assert.ok(counters.decapsulated - before.decapsulated >= 50);
      assert.equal(counters.errors, 0);
    });
  }

  it("carries bulk TCP as super-packets", async (t) => {
    const { gigabitsPerSecond } = await transfer({
      from: { namespace: n1, address: "10.244.1.0" },
      to: "10.244.2.0",
      bytes: 256 << 20,
    });
    t.diagnostic(`${gigabitsPerSecond.toFixed(1)} Gbit/s, both directions together`);
    // Where segmentation goes wrong nearly nothing gets through; on an idle machine it is 4.
    assert.ok(gigabitsPerSecond > 0.2);
    assert.equal((await b1.counters()).errors, 0);
    assert.equal((await b2.counters()).errors, 0);
  });

  it("carries bulk TCP when the uplink segments in software", async () => {
    const offloads = (value: string) =>
      sh(
        `nsenter --net=${pathOf(n1)} ethtool -K eth0 tso ${value} gso ${value} gro ${value} tx ${value}`,
      );
    offloads("off");
    try {
      const from = { namespace: n1, address: "10.244.1.0" };
      await transfer({ from, to: "10.244.2.0", bytes: 16 << 20 });
      assert.deepEqual(await probe2(4000), { sent: 50, received: 50, reordered: 0, intact: true });
    } finally {
      offloads("on");
    }
  });

  // Super-packets of a tunnel inside the tunnel are refused (bpf/ipip.bpf.c says why).
  it("carries single packets of a tunnel inside the tunnel", async () => {
    for (const [node, own, other] of [
      [n1, 1, 2],
      [n2, 2, 1],
    ] as const) {
      const ends = `local 10.244.${own}.0 remote 10.244.${other}.0`;
      ip(node, `link add inside type vxlan id 77 ${ends} dev tunl0 dstport 4790 nolearning`);
      ip(node, `link set inside up mtu 1430\naddr add 10.8.0.${own}/24 dev inside`);
    }
    const inside = await startEcho({ namespace: n2, address: "10.8.0.2" });
    const from = { namespace: n1, address: "10.8.0.1" };
    const result = await probe({ from, to: "10.8.0.2", bytes: 1000, count: 20 });
    assert.deepEqual(result, { sent: 20, received: 20, reordered: 0, intact: true });
    inside.close();
    for (const node of [n1, n2]) ip(node, "link delete inside");
  });

  it("drops and counts what comes from a node it does not know", async () => {
    const before = await b2.counters();
    await b2.apply({ ...state2(), senders: [] });
    assert.equal((await probe2(64, NO_REPLIES_MS)).received, 0);
    assert.equal((await b2.counters()).unknownSender - before.unknownSender, 50);
    await b2.apply(state2());
    assert.equal((await probe2(64)).received, 50);
  });

  it("drops and counts what arrives while it does not accept", async () => {
    const before = await b2.counters();
    await b2.apply({ ...state2(), accept: false });
    assert.equal((await probe2(64, NO_REPLIES_MS)).received, 0);
    assert.equal((await b2.counters()).notAccepted - before.notAccepted, 50);
    await b2.apply(state2());
    assert.equal((await probe2(64)).received, 50);
  });

  it("follows a changed destination, the longest prefix first", async () => {
    const before = await b1.counters();
    await b1.apply({
      ...state1(),
      destinations: stateOf({
        namespace: n1,
        local: "172.139.20.75",
        senders: [],
        destinations: [
          "10.244.0.0/16 via 172.139.20.99",
          "10.244.2.0/26 via 172.139.20.99",
          "10.244.2.0/32 via 172.139.20.76",
        ],
      }).destinations,
    });
    assert.equal((await probe2(64)).received, 50);
    await b1.apply({ ...state1(), destinations: [] });
    assert.equal((await probe2(64, NO_REPLIES_MS)).received, 0);
    assert.equal((await b1.counters()).noDestination - before.noDestination, 50);
    await b1.apply(state1());
    assert.equal((await probe2(64)).received, 50);
  });

  it("changes no filter when the state is the same, or only the entries differ", async () => {
    const filters = () =>
      tc(n1, "filter show dev tunl0 egress") + tc(n1, "filter show dev eth0 ingress");
    const before = filters();
    assert.match(before, /ipip_encap/);
    assert.match(before, /ipip_decap/);
    await b1.apply(state1());
    await b1.apply({ ...state1(), senders: [] });
    await b1.apply(state1());
    assert.equal(filters(), before);
  });

  it("takes a new MTU and puts the device up again", async () => {
    await b1.apply({ ...state1(), mtu: 1400 });
    assert.equal(device(n1, "tunl0")?.mtu, 1400);
    await b1.apply(state1());
    ip(n1, "link set tunl0 down");
    await b1.apply(state1());
    assert.ok(device(n1, "tunl0")?.flags.includes("UP"));
    address(n1, { own: "10.244.1.1", routes: ["10.244.2.0/26 via 172.139.20.76"] });
    assert.equal((await probe2(64)).received, 50);
  });

  it("puts back filters and a device that somebody deleted", async () => {
    tc(n1, "qdisc delete dev eth0 clsact");
    tc(n1, "qdisc delete dev tunl0 clsact");
    assert.equal((await probe2(64, NO_REPLIES_MS)).received, 0);
    await b1.apply(state1());
    assert.equal((await probe2(64)).received, 50);
    ip(n1, "link delete tunl0");
    await b1.apply(state1());
    address(n1, { own: "10.244.1.0", routes: ["10.244.2.0/26 via 172.139.20.76"] });
    assert.equal((await probe2(64)).received, 50);
  });

  it("refuses a state that no kernel could hold, and changes nothing", async () => {
    const [first] = state1().destinations;
    assert.ok(first);
    const { node } = first;
    const bad = [
      [{ device: "tunl1" }, /device must be tunl0, not tunl1/],
      [{ mtu: 67 }, /mtu must be between 68 and 65535, not 67/],
      [{ uplink: 0 }, /uplink must be an interface index, not 0/],
      [{ uplinkMac: "AA:bb" }, /uplinkMac must be a MAC address in lower case/],
      [{ local: 0 as typeof node }, /local must be a unicast address, not 0\.0\.0\.0/],
      [
        { destinations: [{ prefix: { address: first.prefix.address, length: 8 }, node }] },
        /destinations must be prefixes without host bits, not 10\.244\.2\.0\/8/,
      ],
      [
        { destinations: [first, { ...first, node: (node + 1) as typeof node }] },
        /destinations must be behind one node each/,
      ],
    ] as const;
    for (const [change, message] of bad) {
      await assert.rejects(b1.apply({ ...state1(), ...change }), {
        code: "INVALID_ARGUMENT",
        message,
      });
    }
    assert.equal((await probe2(64)).received, 50);
  });
});

it("crosses a router between two subnets", async () => {
  const namespaces = new Namespaces();
  try {
    const [n1, n2, router] = ["a", "b", "r"].map((name) => namespaces.add(name)) as [
      string,
      string,
      string,
    ];
    for (const [node, subnet, host] of [
      [n1, 20, 75],
      [n2, 30, 76],
    ] as const) {
      ip(node, `link add eth0 type veth peer name eth${subnet} netns ${router}`);
      ip(node, `addr add 172.139.${subnet}.${host}/24 dev eth0\nlink set eth0 up`);
      ip(node, `route add default via 172.139.${subnet}.1`);
      ip(router, `addr add 172.139.${subnet}.1/24 dev eth${subnet}\nlink set eth${subnet} up`);
    }
    sh(`nsenter --net=${pathOf(router)} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'`);
    const b1 = await openBpf(n1);
    const b2 = await openBpf(n2);
    await b1.apply(
      stateOf({
        namespace: n1,
        local: "172.139.20.75",
        senders: ["172.139.30.76"],
        destinations: ["10.244.2.0/26 via 172.139.30.76"],
      }),
    );
    await b2.apply(
      stateOf({
        namespace: n2,
        local: "172.139.30.76",
        senders: ["172.139.20.75"],
        destinations: ["10.244.1.0/26 via 172.139.20.75"],
      }),
    );
    address(n1, { own: "10.244.1.0", routes: ["10.244.2.0/26 via 172.139.30.76"] });
    address(n2, { own: "10.244.2.0", routes: ["10.244.1.0/26 via 172.139.20.75"] });
    const echo = await startEcho({ namespace: n2, address: "10.244.2.0" });
    const from = { namespace: n1, address: "10.244.1.0" };
    const result = await probe({ from, to: "10.244.2.0", bytes: 4000, count: 20 });
    assert.deepEqual(result, { sent: 20, received: 20, reordered: 0, intact: true });
    await transfer({ from, to: "10.244.2.0", bytes: 32 << 20 });
    assert.equal((await b2.counters()).errors, 0);
    echo.close();
    b1.close();
    b2.close();
  } finally {
    namespaces.remove();
  }
});

/** pod p1 -- n1 == tunnel == n2 -- pod p2, pods attached as Calico's: veth, /32 route, 169.254.1.1. */
describe("pods behind two nodes", () => {
  const namespaces = new Namespaces();
  const backends: IpipBackend[] = [];
  let n2: string;
  let p1: string;
  let echo: { close(): void };

  before(async () => {
    const [n1, second] = twoNodes(namespaces);
    n2 = second;
    for (const [node, own, other] of [
      [n1, 1, 2],
      [n2, 2, 1],
    ] as const) {
      const local = `172.139.20.${74 + own}`;
      const peer = `172.139.20.${74 + other}`;
      const backend = await openBpf(node);
      backends.push(backend);
      const destinations = [`10.244.${other}.0/26 via ${peer}`];
      await backend.apply(stateOf({ namespace: node, local, senders: [peer], destinations }));
      address(node, { own: `10.244.${own}.0`, routes: destinations });
      // Linux answers ARP for 169.254.1.1 only where it has a route to it by another device.
      ip(node, "route add default dev eth0");
      const pod = namespaces.add(`p${own}`);
      ip(node, `link add cali1 type veth peer name eth0 netns ${pod}`);
      ip(node, `link set cali1 up\nroute add 10.244.${own}.5/32 dev cali1`);
      ip(pod, `addr add 10.244.${own}.5/32 dev eth0\nlink set eth0 up mtu 1480`);
      ip(pod, "route add 169.254.1.1 dev eth0\nroute add default via 169.254.1.1");
      sh(`nsenter --net=${pathOf(node)} sh -c '
        echo 1 >/proc/sys/net/ipv4/ip_forward
        echo 1 >/proc/sys/net/ipv4/conf/cali1/proxy_arp
        echo 0 >/proc/sys/net/ipv4/neigh/cali1/proxy_delay'`);
      if (own === 1) p1 = pod;
      else echo = await startEcho({ namespace: pod, address: "10.244.2.5" });
    }
  });
  after(() => {
    echo.close();
    for (const backend of backends) backend.close();
    namespaces.remove();
  });

  const fromPod = () => ({ namespace: p1, address: "10.244.1.5" });

  it("reach each other", async () => {
    const result = await probe({ from: fromPod(), to: "10.244.2.5", bytes: 4000, count: 50 });
    assert.deepEqual(result, { sent: 50, received: 50, reordered: 0, intact: true });
  });

  it("carry bulk TCP", async (t) => {
    const options = { from: fromPod(), to: "10.244.2.5", bytes: 128 << 20 };
    const { gigabitsPerSecond } = await transfer(options);
    t.diagnostic(`${gigabitsPerSecond.toFixed(1)} Gbit/s, both directions together`);
  });

  it("carry UDP super-packets (UDP_SEGMENT)", async () => {
    const replies = await probeSegmented({
      from: fromPod(),
      to: "10.244.2.5",
      segment: 1400,
      segments: 30,
    });
    assert.equal(replies, 30);
  });

  // What was decapsulated as one super-packet must still be cut right when its next device cannot.
  it("carry bulk TCP when the receiving pod's device takes no super-packets", async () => {
    sh(`nsenter --net=${pathOf(n2)} ethtool -K cali1 tso off gso off tx off sg off`);
    await transfer({ from: fromPod(), to: "10.244.2.5", bytes: 32 << 20 });
    for (const backend of backends) assert.equal((await backend.counters()).errors, 0);
  });
});

it("takes 10,000 destinations without holding the event loop for long, and then only changes", async (t) => {
  const namespaces = new Namespaces();
  try {
    const [n1] = twoNodes(namespaces);
    const backend = await openBpf(n1);
    const few = stateOf({
      namespace: n1,
      local: "172.139.20.75",
      senders: ["172.139.20.76"],
      destinations: [],
    });
    const [node] = few.senders;
    assert.ok(node !== undefined);
    const base = prefix4("10.0.0.0/8");
    const many = {
      ...few,
      destinations: Array.from({ length: 10_000 }, (_, index) => ({
        prefix: { address: addressAt(base, index * 64), length: 26 },
        node,
      })),
    };
    await backend.apply(few);
    let turns = 0;
    let ticker = setImmediate(function tick() {
      turns++;
      ticker = setImmediate(tick);
    });
    const timed = async (tunnel: IpipBackend, state: typeof many) => {
      const startMs = performance.now();
      await tunnel.apply(state);
      return performance.now() - startMs;
    };
    const allMs = await timed(backend, many);
    assert.ok(turns >= 10, `the event loop turned ${turns} times`);
    const againMs = await timed(backend, { ...many });
    assert.ok(againMs < allMs / 2, `${againMs} ms for what holds already, ${allMs} ms at first`);
    backend.close();
    const successor = await openBpf(n1);
    turns = 0;
    const adoptedMs = await timed(successor, many);
    assert.ok(turns >= 10, `the event loop turned ${turns} times`);
    clearImmediate(ticker);
    successor.close();
    const ms = [allMs, againMs, adoptedMs].map((value) => value.toFixed(0));
    t.diagnostic(`all ${ms[0]} ms, the same again ${ms[1]} ms, adopted ${ms[2]} ms`);
  } finally {
    namespaces.remove();
  }
});
