/** The prover: when it sends what to whom, what it waits for, and what it writes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqliteStore } from "../datastore/index.ts";
import type { ClusterView } from "../facts/index.ts";
import { FakeClock, ipAddress, prefix } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { ChangeOrders, ModeChange, ModeEvidenceStatus, NodeMode } from "../model/index.ts";
import type { NodePlan, RoutePlan } from "../plan/index.ts";
import {
  type ProbePacket,
  type ProofPartner,
  type ProofRoundOptions,
  probeIdentity,
} from "../probe/index.ts";
import { EvidenceBook } from "./evidence.ts";
import type { ProofListenerOptions } from "./proof-listener.ts";
import { Prover } from "./prover.ts";
import { clusterView, nodeResource } from "./testing.ts";

const CHANGE = "change-1";
const names = ["node1", "node2", "node3"] as const;
const probeOf = (name: string) => `10.244.${name.slice(4)}.9`;

const changeOf = (prove: ChangeOrders["prove"] | undefined): ModeChange => ({
  apiVersion: "switchyard.io/v1",
  kind: "ModeChange",
  metadata: { name: CHANGE, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { pool: "default-ipv4-ippool", to: "ipip", seed: 1 },
  status: {
    ...{ phase: "Proving", phaseSince: "", from: "none", history: [] },
    ...(prove && {
      orders: { step: 1, widen: true, prove, guard: false, moved: [], key: "ab".repeat(32) },
    }),
  },
});

const modeOf = (name: string, widened: boolean): NodeMode => ({
  apiVersion: "switchyard.io/v1",
  kind: "NodeMode",
  metadata: { name },
  spec: {},
  status: {
    ...{ accepts: ["none", "ipip"], sends: [], destinations: {}, pools: {}, failures: [] },
    ...{ agentVersion: "", updatedAt: "" },
    changes: { [CHANGE]: { widened, moved: false, ...(!widened && { waiting: ["no address"] }) } },
    ...(widened && { probeAddress: probeOf(name) }),
  },
});

class Bench {
  readonly clock = new FakeClock();
  readonly store = openSqliteStore(":memory:");
  prove: ChangeOrders["prove"] | undefined = "first";
  readonly late = new Set<string>();
  readonly sent: { readonly round: string; readonly options: ProofRoundOptions }[] = [];
  /** Rounds take until then. */
  release: Promise<void> = Promise.resolve();
  hear: ProofListenerOptions["heard"] = () => undefined;
  keyOf: ProofListenerOptions["keyOf"] = () => undefined;
  readonly book: EvidenceBook;
  readonly prover: Prover;

  constructor(store = openSqliteStore(":memory:")) {
    this.store = store;
    const { clock } = this;
    this.book = new EvidenceBook({ store, node: "node1", clock, log: silentLog });
    const round = (name: string) => async (options: ProofRoundOptions) => {
      this.sent.push({ round: name, options });
      for (const { node, encapsulation, first } of options.partners) {
        if (name === "first" && first) options.report({ node, encapsulation, first: { sent: 3 } });
      }
      await this.release;
    };
    this.prover = new Prover({
      ...{ node: "node1", clock, log: silentLog, evidence: this.book },
      view: () => this.#view(),
      rounds: { first: round("first"), full: round("full") },
      listener: (options) => {
        this.hear = options.heard;
        this.keyOf = options.keyOf;
        const listener = {
          address: undefined as ReturnType<typeof ipAddress> | undefined,
          moveTo: async (address: ReturnType<typeof ipAddress> | undefined) => {
            listener.address = address;
            return undefined;
          },
          close: () => undefined,
        };
        return listener;
      },
    });
  }

  #view(): ClusterView {
    return clusterView({
      nodes: names.map((name) => nodeResource(name, `172.139.20.7${name.slice(4)}/24`)),
      nodeModes: names.map((name) => modeOf(name, !this.late.has(name))),
      modeChanges: [changeOf(this.prove)],
    });
  }

  /** A pass has ended. */
  async step(forMs = 1_000): Promise<void> {
    const common = { scope: "global", protocol: 80, reason: "test", kind: "unicast" } as const;
    const routes = names
      .filter((name) => name !== "node1" && !this.late.has(name))
      .map(
        (name): RoutePlan => ({
          ...common,
          ...{ destination: prefix(`${probeOf(name)}/32`), device: "tunl0", onlink: true },
        }),
      );
    const rules = [{ priority: 90, source: prefix("10.244.1.9/32"), ipProtocol: 6, table: 17900 }];
    this.prover.step({
      proof: { table: 17900, rules, routes },
      ipip: { device: "tunl0", mtu: 1480 },
      mtu: { host: 1500, pods: 1500 },
    } as unknown as NodePlan);
    await this.clock.advance(forMs);
  }

  async evidence(): Promise<ModeEvidenceStatus | undefined> {
    await this.clock.advance(1_500);
    const { items } = await this.store.list("ModeEvidence");
    return items.find(({ metadata }) => metadata.name === `${CHANGE}.node1`)?.status;
  }

  async stop(): Promise<void> {
    const stopping = this.prover.stop().then(() => this.book.stop());
    await this.clock.advance(1_000);
    await stopping;
    await this.store.close();
  }
}

const partnersOf = (options: ProofRoundOptions | undefined) =>
  (options?.partners ?? []).map(({ node }: ProofPartner) => node);

test("each round is run once, towards everybody, and said when it is done", async () => {
  const bench = new Bench();
  await bench.prover.answerAt(ipAddress("10.244.1.9"));
  await bench.step();
  await bench.step();
  const [first] = bench.sent;
  assert.deepEqual(partnersOf(first?.options), ["node2", "node3"]);
  assert.deepEqual(first?.options.partners[0], {
    ...{ node: "node2", address: ipAddress("10.244.2.9"), encapsulation: "ipip" },
    ...{ first: first?.options.partners[0]?.first, packetBytes: 1480 },
  });
  const said = await bench.evidence();
  assert.deepEqual([said?.ready, said?.problems, said?.proved], [true, [], "first"]);
  assert.ok((said?.results.length ?? 0) > 0);
  bench.prove = "full";
  await bench.step();
  await bench.step();
  assert.deepEqual(
    bench.sent.map(({ round }) => round),
    ["first", "full"],
  );
  assert.equal((await bench.evidence())?.proved, "full");
  await bench.stop();
});

test("it waits for partners, says for whom, and goes on without them in the end", async () => {
  const bench = new Bench();
  bench.late.add("node3");
  await bench.prover.answerAt(ipAddress("10.244.1.9"));
  await bench.step();
  assert.equal(bench.sent.length, 0);
  assert.deepEqual((await bench.evidence())?.problems, ["node3 is not ready: no address"]);
  await bench.step(62_000);
  assert.deepEqual(partnersOf(bench.sent[0]?.options), ["node2"]);
  const said = await bench.evidence();
  assert.equal(said?.proved, "first");
  assert.deepEqual(
    said?.results.find(({ node }) => node === "node3"),
    { node: "node3", encapsulation: "ipip", error: "node3 is not ready: no address" },
  );
  await bench.stop();
});

test("nothing is sent before this node itself can be probed", async () => {
  const bench = new Bench();
  bench.late.add("node1");
  await bench.step(90_000);
  assert.equal(bench.sent.length, 0);
  const said = await bench.evidence();
  assert.deepEqual([said?.ready, said?.problems], [false, ["no address"]]);
  await bench.stop();
});

test("a round that is not ordered any more ends, and is not said to be done", async () => {
  const bench = new Bench();
  await bench.prover.answerAt(ipAddress("10.244.1.9"));
  let release = () => {};
  bench.release = new Promise((resolve) => {
    release = resolve;
  });
  await bench.step();
  const signal = bench.sent[0]?.options.signal;
  assert.equal(signal?.aborted, false);
  bench.prove = undefined;
  await bench.step();
  assert.equal(signal?.aborted, true);
  release();
  assert.equal((await bench.evidence())?.proved, "no");
  await bench.stop();
});

test("whose packets came is noted once; of changes without orders no key is known", async () => {
  const bench = new Bench();
  await bench.prover.answerAt(ipAddress("10.244.1.9"));
  await bench.step();
  const change = probeIdentity(CHANGE);
  assert.equal(bench.keyOf(change)?.length, 32);
  const packet: ProbePacket = {
    ...{ kind: "first", change, sender: probeIdentity("node2"), session: "" },
    ...{ receiver: probeIdentity("node1"), sequence: 0, value: 0 },
  };
  for (let n = 0; n < 3; n++) bench.hear(packet);
  bench.hear({ ...packet, kind: "request", sender: probeIdentity("node3") });
  bench.hear({ ...packet, sender: probeIdentity("nobody") });
  const said = await bench.evidence();
  assert.deepEqual([said?.heard, said?.reached], [["node2"], ["node3"]]);
  bench.prove = undefined;
  await bench.step();
  assert.equal(bench.keyOf(change), undefined);
  await bench.stop();
});

test("a new agent runs the round again that its predecessor did not finish, and none that it did", async () => {
  const one = new Bench();
  await one.prover.answerAt(ipAddress("10.244.1.9"));
  await one.step();
  await one.evidence();
  const two = new Bench(one.store);
  await two.prover.answerAt(ipAddress("10.244.1.9"));
  await two.step();
  assert.deepEqual(two.sent, []);
  two.prove = "full";
  await two.step();
  assert.deepEqual(
    two.sent.map(({ round }) => round),
    ["full"],
  );
  await two.prover.stop();
  await one.stop();
});
