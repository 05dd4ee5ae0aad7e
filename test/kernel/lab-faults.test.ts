/**
 * Each fault of the fabric in each mode: what it is about does not arrive, everything else does, and when
 * it is removed all is as before.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openApiClient } from "../../src/datastore/index.ts";
import {
  addFault,
  type FaultSpec,
  type LabState,
  labDown,
  labStatus,
  labUp,
  listFaults,
  removeFault,
  removeFaults,
  watchModes,
} from "../../src/lab/index.ts";
import { Traffic } from "../../src/lab/probe/index.ts";
import { systemClock } from "../../src/lib/index.ts";
import { withNamespace } from "../../src/lib/sys/index.ts";
import { type ModeName, modeFields } from "../../src/model/index.ts";
import { openEthtool } from "../../src/netlink/index.ts";
import { FaultMesh, type Member, pairsOf, reachesBgp, way } from "./lab-fault-mesh.ts";

const skip = process.getuid?.() === 0 ? false : "needs root: it makes network namespaces";
const name = `t${process.pid}f`;
let lab: LabState;
let mesh: FaultMesh;

before(async () => {
  if (skip) return;
  lab = await labUp({ name, podsPerNode: 1 });
  mesh = new FaultMesh(lab);
});

after(async () => {
  mesh?.close();
  if (!skip) await labDown({ name });
});

type Carrier = "ipip" | "vxlan" | "plain";
const modes: Readonly<Record<Carrier, ModeName>> = {
  ipip: "ipip",
  vxlan: "vxlan",
  plain: "none",
};

interface Case {
  readonly fault: FaultSpec;
  /** What pods' packets travel as when the fault is about them; all unless told. */
  readonly carriers?: readonly Carrier[];
  /** Which ways it breaks, by nodes. */
  readonly breaks: (from: Member, to: Member) => boolean;
  /** Size of the datagrams; small ones unless told. */
  readonly bytes?: number;
  /** Breaks what nodes say to each other, too. */
  readonly nodes?: true;
}

const across = (from: Member, to: Member) => from.subnet !== to.subnet;
const touches = (node: string) => (from: Member, to: Member) => [from.node, to.node].includes(node);

/** Payload of a packet of 1450 bytes, the largest that pods of the lab send. */
const fullSize = 1422;

const cases: readonly Case[] = [
  { fault: { kind: "drop-ipip" }, carriers: ["ipip"], breaks: () => true },
  { fault: { kind: "drop-ipip", router: true }, carriers: ["ipip"], breaks: across },
  {
    fault: { kind: "drop-ipip", between: ["node1", "node2"] },
    carriers: ["ipip"],
    breaks: (from, to) => touches("node1")(from, to) && touches("node2")(from, to),
  },
  {
    fault: { kind: "drop-vxlan", between: ["node1", "br30"], oneWay: true },
    carriers: ["vxlan"],
    breaks: (from, to) => from.node === "node1" && to.subnet === "br30",
  },
  {
    fault: { kind: "drop-vxlan", node: "node4" },
    carriers: ["vxlan"],
    breaks: touches("node4"),
  },
  {
    fault: { kind: "source-check", node: "node2", oneWay: true },
    carriers: ["plain"],
    breaks: (from) => from.node === "node2",
  },
  { fault: { kind: "source-check" }, carriers: ["plain"], breaks: () => true },
  {
    fault: { kind: "small-mtu", mtu: 1460, between: ["node1", "node3"] },
    carriers: ["ipip", "vxlan"],
    bytes: fullSize,
    breaks: (from, to) => touches("node1")(from, to) && touches("node3")(from, to),
  },
  {
    fault: { kind: "small-mtu", mtu: 1480, node: "node2", oneWay: true },
    carriers: ["vxlan"],
    bytes: fullSize,
    breaks: (from) => from.node === "node2",
  },
  { fault: { kind: "small-mtu", mtu: 1300 }, carriers: [], breaks: () => false },
  {
    fault: { kind: "bad-checksum", between: ["node1", "node2"], oneWay: true },
    carriers: ["ipip", "vxlan"],
    breaks: (from, to) => from.node === "node1" && to.node === "node2",
  },
  {
    fault: { kind: "bad-checksum", node: "node4" },
    carriers: ["ipip", "vxlan"],
    breaks: touches("node4"),
  },
  { fault: { kind: "cut", node: "node3" }, nodes: true, breaks: touches("node3") },
  {
    fault: { kind: "cut", between: ["node3", "node1"], oneWay: true },
    nodes: true,
    breaks: (from, to) => from.node === "node3" && to.node === "node1",
  },
];

async function changeMode(mode: ModeName): Promise<void> {
  const store = openApiClient({ socketPath: lab.socketPath });
  try {
    const pool = await store.get("IPPool", "default-ipv4-ippool");
    const spec = { ...pool.spec, ...modeFields(mode) };
    const patched = await store.update<"IPPool">({ ...pool, spec });
    const nodes = lab.nodes.map((node) => node.name);
    const watcher = await watchModes({ store, nodes, clock: systemClock });
    await watcher.realised(patched);
    await watcher.stop();
  } finally {
    await store.close();
  }
}

const waysThat = (members: readonly Member[], breaks: Case["breaks"]) =>
  pairsOf(members)
    .filter(([from, to]) => breaks(from, to))
    .map(([from, to]) => way(from, to))
    .sort();

test("adding and removing a fault loses no packet that it is not about", {
  skip,
  timeout: 60_000,
}, async () => {
  // The pool's mode is IP-in-IP now; and no fault has been here yet.
  const bystanders: readonly FaultSpec[] = [
    { kind: "drop-vxlan", node: "node1" },
    { kind: "source-check" },
    { kind: "stateful-filter", between: ["br20", "br30"], traffic: "vxlan" },
    { kind: "loss", between: ["outside", "node1"], percent: 50 },
    { kind: "cut", between: ["outside", "node1"] },
    { kind: "bad-checksum", between: ["outside", "all"] },
    // What is late is not lost, neither when the delay comes nor when it goes.
    { kind: "delay", delayMs: 10, between: ["node1", "all"] },
    // TCP's super-packets are led aside, cut to size, and all pass.
    { kind: "small-mtu", mtu: 1480 },
  ];
  const traffic = await Traffic.start({
    endpoints: lab.pods,
    probesPerSecond: 5000,
    stream: { from: "pod1a", to: "pod3a" },
  });
  try {
    await traffic.beginWindow();
    for (let round = 0; round < 2; round++) {
      for (const fault of bystanders) await addFault(lab, fault);
      for (const { id } of await listFaults(lab)) await removeFault(lab, id);
    }
    const { total, troubled, stream } = await traffic.endWindow();
    assert.deepEqual([total.lost, troubled.filter(({ lost }) => lost > 0)], [0, []]);
    assert.equal(stream?.resets, 0);
    assert.ok(stream.bytes > 1 << 20, `${stream.bytes} bytes`);
    assert.ok(total.sent > 1000, `${total.sent} sent`);
  } finally {
    await traffic.stop();
  }
});

for (const carrier of ["ipip", "vxlan", "plain"] as const) {
  test(`faults of a fabric that carries ${carrier}`, { skip, timeout: 120_000 }, async (t) => {
    await changeMode(modes[carrier]);
    const pods = pairsOf(mesh.pods);
    const nodes = pairsOf(mesh.nodes);
    assert.deepEqual(await mesh.broken([...pods, ...nodes]), [], "before any fault");

    for (const { fault, carriers, bytes = 100, breaks, nodes: breaksNodes } of cases) {
      const about = carriers === undefined || carriers.includes(carrier);
      const { id, text } = await addFault(lab, fault);
      await t.test(`${text} ${about ? "breaks" : "lets pass"} it`, async () => {
        const broken = about ? waysThat(mesh.pods, breaks) : [];
        assert.deepEqual(await mesh.broken(pods, { bytes }), broken);
        if (bytes > 100) assert.deepEqual(await mesh.broken(pods), [], "small ones");
        const brokenNodes = breaksNodes ? waysThat(mesh.nodes, breaks) : [];
        assert.deepEqual(await mesh.broken(nodes, { bytes }), brokenNodes);
        const [listed] = await listFaults(lab);
        assert.deepEqual([listed?.id, listed?.spec], [id, fault]);
        assert.equal(listed!.packets! > 0, about);
        if (!breaksNodes) {
          const [first, , third] = mesh.nodes as [Member, Member, Member];
          assert.ok((await reachesBgp(first, third)) && (await reachesBgp(third, first)), "BGP");
        }
      });
      await removeFault(lab, id);
      assert.deepEqual(await mesh.broken([...pods, ...nodes]), [], `without ${text}`);
    }

    await t.test(
      "a stateful filter lets replies pass, as connection tracking sees them",
      async () => {
        const traffic = carrier === "plain" ? "pods" : carrier;
        const other = await addFault(lab, {
          kind: "stateful-filter",
          between: ["br20", "br30"],
          traffic: carrier === "ipip" ? "vxlan" : "ipip",
        });
        assert.deepEqual(await mesh.broken([...pods, ...nodes]), [], "of something else");
        await removeFault(lab, other.id);

        const fault = await addFault(lab, {
          kind: "stateful-filter",
          between: ["br20", "br30"],
          traffic,
        });
        const there = pods.filter(([from, to]) => from.subnet === "br20" && to.subnet === "br30");
        const back = there.map(([from, to]) => [to, from] as const);
        const within = pods.filter(([from, to]) => from.subnet === to.subnet);
        const names = there.map(([from, to]) => way(from, to)).sort();
        assert.deepEqual(await mesh.broken(there), names, "new flows");
        assert.deepEqual(await mesh.broken([...back, ...within, ...nodes]), []);
        // VXLAN's source ports are chosen anew on each side: nothing is ever a reply.
        assert.deepEqual(await mesh.broken(there), carrier === "vxlan" ? names : [], "replies");
        await removeFault(lab, fault.id);
        assert.deepEqual(await mesh.broken(pods), []);
      },
    );

    await t.test("the router's own MTU is met by what crosses it", async () => {
      const { id } = await addFault(lab, { kind: "small-mtu", mtu: 1300, router: true });
      assert.deepEqual(await mesh.broken([...pods, ...nodes]), [], "small ones");
      if (carrier === "vxlan") {
        // The kernel sends VXLAN without DF: the router may cut it.
        assert.deepEqual(await mesh.broken(pods, { bytes: fullSize }), []);
      } else {
        // The first is lost; a sender that is told what fits makes the next one smaller.
        const arrived = await mesh.send(pods, { bytes: fullSize });
        const lost = [...arrived].flatMap(([way, count]) => (count === 0 ? [way] : []));
        assert.deepEqual(lost.sort(), waysThat(mesh.pods, across));
      }
      await removeFault(lab, id);
    });

    await t.test("a checksum made by software passes where an offload's is spoiled", async () => {
      const { id } = await addFault(lab, { kind: "bad-checksum", node: "node1", oneWay: true });
      const [pod] = mesh.pods as [Member];
      const ethtool = openEthtool({ namespace: pod.namespace });
      ethtool.setFeatures("eth0", { tx: false });
      assert.deepEqual(await mesh.broken(pods), []);
      ethtool.setFeatures("eth0", { tx: true });
      ethtool.close();
      const spoiled =
        carrier === "plain" ? [] : waysThat(mesh.pods, (from) => from.node === "node1");
      assert.deepEqual(await mesh.broken(pods), spoiled);
      await removeFault(lab, id);
    });

    await t.test("loss takes its share of what it is about", async () => {
      const fault = await addFault(lab, {
        kind: "loss",
        between: ["node1", "node3"],
        oneWay: true,
        percent: 40,
      });
      const arrived = await mesh.send(pods, { count: 200, patienceMs: 400 });
      await removeFault(lab, fault.id);
      for (const [from, to] of pods) {
        const count = arrived.get(way(from, to))!;
        if (from.node === "node1" && to.node === "node3") {
          // 120 of 200 are expected, 7 are one standard deviation.
          assert.ok(count > 80 && count < 160, `${count} of 200 arrived`);
        } else assert.equal(count, 200, way(from, to));
      }
    });
  });
}

test("faults add up, and all go at once", { skip, timeout: 60_000 }, async () => {
  await addFault(lab, { kind: "drop-ipip" });
  await addFault(lab, { kind: "cut", node: "node1", oneWay: true });
  await addFault(lab, { kind: "source-check", between: ["node2", "node4"] });
  const expected = waysThat(mesh.pods, (from, to) => {
    return from.node === "node1" || (touches("node2")(from, to) && touches("node4")(from, to));
  });
  assert.deepEqual(await mesh.broken(pairsOf(mesh.pods)), expected);
  assert.equal((await listFaults(lab)).length, 3);
  assert.equal(await removeFaults(lab), 3);
  assert.deepEqual(await listFaults(lab), []);
  assert.deepEqual(await mesh.broken(pairsOf(mesh.pods)), []);
});

test("a delay is as long as it says, where it says", { skip, timeout: 60_000 }, async () => {
  const [first, second, third] = mesh.pods as [Member, Member, Member];
  const tookMs = async (from: Member, to: Member) => {
    const startedMs = systemClock.monotonicMs();
    assert.deepEqual(await mesh.broken([[from, to]]), []);
    return systemClock.monotonicMs() - startedMs;
  };
  await addFault(lab, { kind: "delay", delayMs: 90, between: ["node1", "br30"], oneWay: true });
  await addFault(lab, { kind: "delay", delayMs: 40, between: ["node2", "node1"], traffic: "ipip" });
  const lateMs = await tookMs(first, third);
  assert.ok(lateMs >= 90 && lateMs < 150, `${lateMs} ms`);
  for (const way of [
    [third, first],
    [first, second],
    [second, first],
  ] as const) {
    // The best of some: the machine may be busy.
    const times = [await tookMs(...way), await tookMs(...way), await tookMs(...way)];
    assert.ok(Math.min(...times) < 40, `${times.join(", ")} ms`);
  }
  assert.equal(await removeFaults(lab), 2);
  assert.ok((await tookMs(first, third)) < 90);
});

test("what is no fault of this lab is refused and leaves nothing", { skip }, async () => {
  const wrong: readonly [FaultSpec, RegExp][] = [
    [{ kind: "cut", node: "node9" }, /no node "node9"; it has node1, /],
    [{ kind: "drop-ipip", between: ["node1", "br40"] }, /no "br40"; it has node1, .*br30, outside/],
    [{ kind: "stateful-filter", between: ["node1", "br30"] }, /between two subnets, of br20, br30/],
    [{ kind: "drop-ipip", oneWay: true }, /one way needs to know which/],
    [{ kind: "drop-ipip", node: "node1", router: true }, /a fault has one place/],
    [{ kind: "loss", percent: 101 }, /loss: percent: /],
    [{ kind: "strict-rp-filter", node: "node9" }, /no node "node9"/],
  ];
  for (const [fault, message] of wrong) {
    await assert.rejects(addFault(lab, fault), { code: "INVALID_ARGUMENT", message });
  }
  await assert.rejects(removeFault(lab, 4711), { code: "INVALID_ARGUMENT" });
  assert.deepEqual(await listFaults(lab), []);
});

test("strict reverse-path filters come and go, and the agents keep theirs loose", {
  skip,
}, async () => {
  const filters = () =>
    lab.nodes.map(({ namespace }) =>
      withNamespace(namespace, () => {
        const read = (device: string) =>
          readFileSync(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, "utf8").trim();
        return ["all", "default", "lo", "eth0"].map(read).join("");
      }),
    );
  const before = filters();
  const { id } = await addFault(lab, { kind: "strict-rp-filter", node: "node2" });
  const other = before.filter((_, index) => index !== 1);
  assert.deepEqual(
    filters().filter((_, index) => index !== 1),
    other,
  );
  assert.match(filters()[1]!, /^111[12]$/);
  await assert.rejects(addFault(lab, { kind: "strict-rp-filter" }), {
    message: /^fault [0-9]+ is strict-rp-filter on node2 already/,
  });
  await removeFault(lab, id);
  // eth0 stays loose where an agent has seen that it was strict.
  const loose = before.map((each, index) => (index === 1 ? `${each.slice(0, 3)}2` : each));
  const found = filters();
  assert.deepEqual(found, found[1] === loose[1] ? loose : before);
});

test("lab status names the faults, and lab up says that they may be why it fails", {
  skip,
  timeout: 90_000,
}, async () => {
  await changeMode("ipip");
  const between = ["node1", "node2"] as const;
  const { id, text } = await addFault(lab, { kind: "drop-ipip", between, oneWay: true });
  const { healthy, faults } = (await labStatus({ name }))!;
  assert.deepEqual({ healthy, faults }, { healthy: true, faults: [{ id, text }] });
  await assert.rejects(labUp({ name }), {
    code: "LAB_FAILED",
    message: new RegExp(
      `pods are not reached:[^]*the lab has faults \\(${id}: drop-ipip from node1 to node2\\): .* --name ${name} fault remove --all. takes them away`,
    ),
  });
  assert.equal(await removeFaults(lab), 1);
  await labUp({ name });
  assert.deepEqual((await labStatus({ name }))?.faults, []);
});
