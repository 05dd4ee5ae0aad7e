/** A guard on a network that the test plays: partners' kernels answer, unless told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqliteStore, withRules } from "../../datastore/index.ts";
import { FakeClock, formatAddress, type IpAddress } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import type { ChangeOrders, ModeChange, ModeEvidence, NodeMode } from "../../model/index.ts";
import { EvidenceBook } from "../evidence.ts";
import { clusterView, poolResource } from "../testing.ts";
import { Guard } from "./guard.ts";
import type { EchoPort } from "./live-probes.ts";

type Answer = ReturnType<EchoPort["take"]> extends Iterable<infer A> ? A : never;

class Bench {
  readonly clock = new FakeClock();
  readonly store = withRules(openSqliteStore(":memory:"), { clock: this.clock });
  readonly book = new EvidenceBook({
    ...{ store: this.store, node: "node1", clock: this.clock, log: silentLog },
  });
  /** What becomes of a packet. */
  fate: (packet: { to: string; kind: "echo" | "full" | "knock" }) => "answer" | "lose" | string =
    () => "answer";
  orders: ChangeOrders | undefined;
  counters: Record<string, number> = {};
  peers = [{ address: "192.0.2.1", up: true, info: "Established" }];
  addresses = true;
  /** Nodes that have left the cluster; their NodeMode is there still. */
  readonly gone = new Set<string>();
  openRefused: string | undefined;
  sent = 0;
  opened = 0;
  /** What comes stays in the host's queues. */
  holding = false;
  readonly #waiting: Answer[] = [];
  readonly guard = new Guard({
    ...{ node: "node1", clock: this.clock, log: silentLog, evidence: this.book },
    view: () => {
      const view = clusterView({ modeChanges: [this.#change()], nodeModes: this.#nodeModes() });
      return { ...view, nodes: view.nodes.filter(({ metadata }) => !this.gone.has(metadata.name)) };
    },
    peers: () => this.peers,
    podMtu: () => 1480,
    counters: () => this.counters,
    openSocket: () => {
      if (this.openRefused) throw new Error(this.openRefused);
      this.opened++;
      return this.#socket();
    },
  });

  order(orders: Partial<ChangeOrders> | undefined): void {
    const fresh: ChangeOrders = {
      ...{ step: 1, widen: true, prove: "no", guard: true, moved: [], key: "" },
    };
    this.orders = orders && { ...(this.orders ?? fresh), ...orders };
    this.guard.follow();
  }

  /** In ticks of the guard, with what is awaited in between. */
  async run(forMs: number): Promise<void> {
    for (let i = 0; i < forMs / 50; i++) await this.clock.advance(50);
  }

  /** The process stands still, the network does not. */
  async pause(forMs: number): Promise<void> {
    const schedule = this.clock.schedule.bind(this.clock);
    const late: (() => void)[] = [];
    this.clock.schedule = (_, callback) => {
      late.push(callback);
      return { cancel: () => late.splice(0) };
    };
    await this.clock.advance(51);
    this.clock.schedule = schedule;
    await this.clock.advance(forMs);
    for (const callback of late) callback();
  }

  async evidence(): Promise<NonNullable<ModeEvidence["status"]>["guard"]> {
    return (await this.store.list("ModeEvidence")).items[0]?.status?.guard;
  }

  #change(): ModeChange {
    return {
      ...{ apiVersion: "switchyard.io/v1", kind: "ModeChange", metadata: { name: "c1" } },
      spec: { pool: poolResource().metadata.name, to: "none" },
      ...(this.orders && {
        status: {
          ...{ phase: "Canary", phaseSince: "", from: "ipip", history: [] },
          orders: this.orders,
        },
      }),
    };
  }

  #nodeModes(): NodeMode[] {
    return ["node1", "node2", "node3"].map((name, index) => ({
      ...{ apiVersion: "switchyard.io/v1", kind: "NodeMode", metadata: { name }, spec: {} },
      status: {
        ...{ accepts: [], sends: [], destinations: {}, pools: {}, failures: [] },
        ...{ agentVersion: "", updatedAt: "", changes: { c1: { widened: true, moved: true } } },
        ...(this.addresses && { probeAddress: `10.244.${index + 1}.9` }),
      },
    }));
  }

  #socket(): EchoPort {
    const { clock } = this;
    const send = (kind: "echo" | "full" | "knock", to: IpAddress, sequence: number) => {
      this.sent++;
      const fate = this.fate({ to: formatAddress(to), kind });
      const about = { session: "", sequence, from: to, atMs: clock.monotonicMs() + 0.2 };
      const port = {
        kind: "error",
        port: true,
        destination: to,
        text: "port unreachable",
      } as const;
      if (fate === "answer") {
        this.#waiting.push(kind === "knock" ? { ...port, ...about } : { kind: "reply", ...about });
        return undefined;
      }
      return fate === "lose" ? undefined : { errno: fate, text: fate };
    };
    const take = () => (this.holding ? [] : this.#waiting.splice(0));
    return {
      echo: (to, sequence, bytes) => send(bytes === undefined ? "echo" : "full", to, sequence),
      knock: ({ address }, sequence) => send("knock", address, sequence),
      *take() {
        yield* take();
      },
      close: () => {},
    };
  }
}

test("without orders nothing is sent, and nothing waits", async () => {
  const bench = new Bench();
  bench.guard.follow();
  await bench.run(5_000);
  assert.deepEqual([bench.sent, bench.opened, bench.clock.pendingTimers], [0, 0, 0]);
  bench.order({});
  await bench.run(5_000);
  assert.ok(bench.sent > 0);
  bench.order(undefined);
  const { sent } = bench;
  await bench.run(5_000);
  assert.deepEqual([bench.sent, bench.clock.pendingTimers], [sent, 0]);
  assert.equal(bench.guard.totals.sent, sent);
});

test("all is well: twenty packets a second and a knock to each partner, one write per step", async () => {
  const bench = new Bench();
  bench.order({});
  await bench.run(6_500);
  assert.equal((await bench.evidence())?.quiet, true);
  const { sent } = bench;
  await bench.run(11_000);
  assert.ok(Math.abs(bench.sent - sent - 2 * (11 * 20 + 10)) <= 6, `${bench.sent - sent} packets`);
  const { resourceVersion } = await bench.store.list("ModeEvidence");
  await bench.run(10_000);
  assert.equal((await bench.store.list("ModeEvidence")).resourceVersion, resourceVersion);
  bench.order({ step: 2, moved: ["node2"] });
  await bench.run(7_000);
  const guard = await bench.evidence();
  assert.deepEqual([guard?.step, guard?.quiet, guard?.breaches], [2, true, []]);
  assert.ok((guard?.probes.rttP50Us ?? 0) > 100);
});

for (const kind of ["echo", "full"] as const) {
  test(`one packet lost (${kind}) is told within two seconds, with the other node's name`, async () => {
    const bench = new Bench();
    bench.order({});
    await bench.run(5_000);
    let left = 1;
    bench.fate = (packet) =>
      packet.to === "10.244.3.9" && packet.kind === kind && left-- > 0 ? "lose" : "answer";
    bench.order({ step: 2, moved: ["node2"] });
    await bench.run(1_500);
    const { breaches = [] } = (await bench.evidence()) ?? {};
    assert.deepEqual(
      breaches.map((breach) => [breach.kind, breach.node]),
      [["probe-loss", "node3"]],
    );
    assert.match(breaches[0]?.message ?? "", /^1 of \d+ packets/);
    assert.equal(bench.guard.totals.lost, 1);
  });
}

test("no route is told at once, in the kernel's words", async () => {
  const bench = new Bench();
  bench.order({});
  await bench.run(5_000);
  bench.order({ step: 2, moved: ["node1"] });
  bench.fate = ({ to }) => (to === "10.244.2.9" ? "ENETUNREACH" : "answer");
  await bench.run(100);
  const { breaches = [] } = (await bench.evidence()) ?? {};
  assert.match(breaches[0]?.message ?? "", /last said: ENETUNREACH, by this host/);
});

for (const kind of ["echo", "knock"] as const) {
  test(`a node leaves the cluster: what is lost on the way to it (${kind}) is told by nobody`, async () => {
    const bench = new Bench();
    bench.order({});
    await bench.run(5_000);
    bench.order({ step: 2, moved: ["node1"] });
    await bench.run(450);
    bench.gone.add("node2");
    bench.fate = (packet) =>
      packet.to === "10.244.2.9" && (kind === "echo" || packet.kind === kind)
        ? "ENETUNREACH"
        : "answer";
    await bench.run(8_000);
    const { breaches, quiet } = (await bench.evidence()) ?? {};
    assert.deepEqual([breaches, quiet], [[], true]);
  });
}

test("what is only this host's trouble is no loss", async () => {
  const bench = new Bench();
  bench.order({});
  await bench.run(5_000);
  bench.fate = () => "EADDRNOTAVAIL";
  await bench.run(3_000);
  assert.deepEqual((await bench.evidence())?.breaches, []);
});

test("a pause of this process of two seconds is no loss: what came meanwhile is taken first", async () => {
  const bench = new Bench();
  bench.order({});
  await bench.run(5_000);
  for (let i = 0; i < 5; i++) {
    await bench.pause(2_000);
    await bench.run(500);
  }
  await bench.run(3_000);
  assert.deepEqual((await bench.evidence())?.breaches, []);
  assert.equal(bench.guard.totals.lost, 0);
});

test("a host that stood still as a whole gets its answers a little after it goes on", async () => {
  const bench = new Bench();
  bench.order({});
  await bench.run(5_000);
  bench.holding = true;
  await bench.pause(2_000);
  await bench.run(200);
  bench.holding = false;
  await bench.run(3_000);
  assert.equal(bench.guard.totals.lost, 0);
});

test("a path that answers only after a while counts from its first answer", async () => {
  const bench = new Bench();
  bench.fate = () => "lose";
  bench.order({});
  await bench.run(2_000);
  bench.fate = () => "answer";
  await bench.run(7_000);
  const guard = await bench.evidence();
  assert.deepEqual([guard?.quiet, guard?.breaches, guard?.blind], [true, [], undefined]);
  assert.equal(bench.guard.totals.lost, 0);
});

test("a partner that never answers is named, and hinders nobody", async () => {
  const bench = new Bench();
  bench.fate = ({ to, kind }) => (to === "10.244.3.9" && kind === "knock" ? "lose" : "answer");
  bench.order({});
  await bench.run(7_000);
  const guard = await bench.evidence();
  assert.equal(guard?.quiet, true);
  assert.deepEqual(guard?.blind, [
    "node3 (10.244.3.9) did not answer UDP before anything moved: not watched",
  ]);
});

test("a node that cannot probe never says that all is quiet, and says why", async () => {
  const bench = new Bench();
  bench.openRefused = "socket on raw ICMP: Operation not permitted";
  bench.order({});
  await bench.run(10_000);
  const guard = await bench.evidence();
  assert.equal(guard?.quiet, false);
  assert.match(guard?.blind?.[0] ?? "", /Operation not permitted/);
  bench.openRefused = undefined;
  await bench.run(7_000);
  assert.equal((await bench.evidence())?.quiet, true);
});

test("a session with a router that goes down and stays down is told; one that comes back is not", async () => {
  const bench = new Bench();
  bench.order({});
  await bench.run(5_000);
  const up = bench.peers;
  bench.peers = [{ address: "192.0.2.1", up: false, info: "Active" }];
  await bench.run(3_000);
  bench.peers = up;
  await bench.run(5_000);
  assert.deepEqual((await bench.evidence())?.breaches, []);
  bench.peers = [{ address: "192.0.2.1", up: false, info: "Active" }];
  await bench.run(7_000);
  const { breaches = [] } = (await bench.evidence()) ?? {};
  assert.deepEqual(
    breaches.map(({ kind }) => kind),
    ["bgp"],
  );
});

test("counters are judged", async () => {
  const bench = new Bench();
  bench.counters = { "Ip.OutNoRoutes": 0 };
  bench.order({});
  await bench.run(5_000);
  bench.counters = { "Ip.OutNoRoutes": 500 };
  await bench.run(2_000);
  const guard = await bench.evidence();
  assert.deepEqual(
    guard?.breaches.map(({ kind }) => kind),
    ["no-route"],
  );
});
