import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Datastore, openSqliteStore, withRules } from "../datastore/index.ts";
import { FakeClock, SwitchyardError } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { ModeChange, ModeEvidence } from "../model/index.ts";
import { EvidenceBook } from "./evidence.ts";
import { type Evidence, mergeEvidence, noEvidence } from "./merge-evidence.ts";

class Bench {
  readonly clock = new FakeClock();
  readonly store: Datastore = withRules(openSqliteStore(":memory:"), { clock: this.clock });
  away = false;
  /** The write happens, its answer is lost. */
  deaf = false;
  reads = 0;
  writes = 0;

  /** A book as one process of the agent has it. */
  book(): EvidenceBook {
    const { clock } = this;
    return new EvidenceBook({ store: this.#reachable(), node: "node1", clock, log: silentLog });
  }

  async stored(): Promise<Partial<NonNullable<ModeEvidence["status"]>>> {
    const { items } = await this.store.list("ModeEvidence");
    assert.ok(items.length <= 1);
    return items[0]?.status ?? {};
  }

  #reachable(): Pick<Datastore, "get" | "create" | "update"> {
    const { store } = this;
    const answer = async <T>(write: boolean, call: () => Promise<T>): Promise<T> => {
      if (this.away) throw new SwitchyardError("DATASTORE_UNAVAILABLE", "away");
      if (write) this.writes++;
      else this.reads++;
      const result = await call();
      if (write && this.deaf) throw new SwitchyardError("DATASTORE_UNAVAILABLE", "no answer");
      return result;
    };
    return {
      get: (...args) => answer(false, () => store.get(...args)),
      create: (...args) => answer(true, () => store.create(...args)),
      update: (...args) => answer(true, () => store.update(...args)),
    };
  }
}

const guard = (breaches: NonNullable<Evidence["guard"]>["breaches"] = []) => ({
  step: 3,
  quiet: false,
  breaches,
  probes: { sent: 1, lost: 0, rttP50Us: 1, rttP99Us: 1, longestGapMs: 1 },
  counters: {},
});
const breach = { kind: "bgp", node: "node2", message: "went down" } as const;
const result = (node: string, fields: object = {}) =>
  ({ node, encapsulation: "none", ...fields }) as const;

test("prover and guard write one object, and neither takes away what the other said", async () => {
  const bench = new Bench();
  const book = bench.book();
  const prover = book.writer("c1");
  const watcher = book.writer("c1");
  prover.say({ ready: true, proved: "first", heard: ["node3"] }, "now");
  await bench.clock.advance(0);
  watcher.say({ guard: guard([breach]) }, "now");
  prover.say({ heard: ["node2"], results: [result("node2", { first: { sent: 3 } })] }, "now");
  await bench.clock.advance(0);
  const { updatedAt, ...stored } = await bench.stored();
  assert.deepEqual(stored, {
    ready: true,
    problems: [],
    proved: "first",
    heard: ["node2", "node3"],
    results: [result("node2", { first: { sent: 3 } })],
    guard: guard([breach]),
  });
  const { metadata, spec } = (await bench.store.list("ModeEvidence")).items[0] as ModeEvidence;
  assert.equal(metadata.name, "c1.node1");
  assert.deepEqual(spec, { change: "c1", node: "node1" });
  assert.ok(Date.parse(updatedAt ?? "") > 0);
});

test("what need not be known at once is written once a second", async () => {
  const bench = new Bench();
  const writer = bench.book().writer("c1");
  writer.say({ ready: true });
  await bench.clock.advance(0);
  assert.equal(bench.writes, 1);
  for (let i = 0; i < 20; i++) {
    writer.say({ heard: [`node${i}`] });
    await bench.clock.advance(100);
  }
  await bench.clock.advance(1_000);
  assert.equal(bench.writes, 1 + 2);
  assert.equal((await bench.stored()).heard?.length, 20);
  writer.say({ heard: ["node7"] });
  await bench.clock.advance(5_000);
  assert.equal(bench.writes, 1 + 2, "what is known already is not written");
});

test("a breach does not wait for the second", async () => {
  const bench = new Bench();
  const writer = bench.book().writer("c1");
  writer.say({ ready: true });
  await bench.clock.advance(0);
  writer.say({ guard: guard() });
  await bench.clock.advance(10);
  assert.equal(bench.writes, 1);
  writer.say({ guard: guard([breach]) }, "now");
  await bench.clock.advance(0);
  assert.deepEqual((await bench.stored()).guard?.breaches, [breach]);
});

test("nothing that was said while the datastore was away is lost, and it is not asked all the time", async () => {
  const bench = new Bench();
  const book = bench.book();
  const writer = book.writer("c1");
  bench.away = true;
  writer.say({ heard: ["node2"] });
  writer.say({ guard: guard([breach]) }, "now");
  await bench.clock.advance(60_000);
  assert.match(book.troubles.join(), /^ModeEvidence c1\.node1: away$/);
  assert.equal(bench.clock.pendingTimers, 1);
  bench.away = false;
  await bench.clock.advance(5_000);
  const { heard, guard: written } = await bench.stored();
  assert.deepEqual([heard, written?.breaches], [["node2"], [breach]]);
  assert.equal(bench.writes, 1);
  assert.deepEqual(book.troubles, []);
});

test("an agent that starts again continues what it finds", async () => {
  const bench = new Bench();
  const old = bench.book().writer("c1");
  old.say({ ready: true, proved: "first", heard: ["node2"], results: [result("node2")] }, "now");
  await bench.clock.advance(0);

  const writer = bench.book().writer("c1");
  writer.say({ guard: guard() }, "now");
  const restored = writer.restored();
  await bench.clock.advance(0);
  assert.equal((await restored).ready, true);
  const { ready, proved, heard, results, guard: written } = await bench.stored();
  assert.deepEqual([ready, proved, heard], [true, "first", ["node2"]]);
  assert.deepEqual(results, [result("node2")]);
  assert.deepEqual(written, guard());
  writer.say({ ready: false, problems: ["no address"] }, "now");
  await bench.clock.advance(0);
  assert.equal((await bench.stored()).ready, false);
});

test("what is not ready any more is said although nothing was read yet", async () => {
  const bench = new Bench();
  bench.book().writer("c1").say({ ready: true }, "now");
  await bench.clock.advance(0);
  bench.book().writer("c1").say({ ready: false }, "now");
  await bench.clock.advance(0);
  assert.equal((await bench.stored()).ready, false);
});

test("reading alone writes nothing", async () => {
  const bench = new Bench();
  const restored = bench.book().writer("c1").restored();
  await bench.clock.advance(0);
  assert.deepEqual(await restored, noEvidence);
  await bench.clock.advance(10_000);
  assert.deepEqual([bench.writes, bench.reads, bench.clock.pendingTimers], [0, 1, 0]);
});

test("a write of an older self that comes late is seen, and joined", async () => {
  const bench = new Bench();
  const writer = bench.book().writer("c1");
  writer.say({ heard: ["node2"] }, "now");
  await bench.clock.advance(0);
  const [stored] = (await bench.store.list("ModeEvidence")).items;
  await bench.store.update<"ModeEvidence">({
    ...(stored as ModeEvidence),
    status: { ...noEvidence, heard: ["node2", "node9"], updatedAt: "" },
  });
  writer.say({ ready: true }, "now");
  await bench.clock.advance(5_000);
  const { ready, heard } = await bench.stored();
  assert.deepEqual([ready, heard], [true, ["node2", "node9"]]);
});

test("a write whose answer is lost is repeated, not doubled", async () => {
  const bench = new Bench();
  const writer = bench.book().writer("c1");
  bench.deaf = true;
  writer.say({ heard: ["node2"] }, "now");
  await bench.clock.advance(500);
  bench.deaf = false;
  writer.say({ heard: ["node3"] }, "now");
  await bench.clock.advance(10_000);
  assert.deepEqual((await bench.stored()).heard, ["node2", "node3"]);
});

test("an object that somebody deleted is made again", async () => {
  const bench = new Bench();
  const writer = bench.book().writer("c1");
  writer.say({ heard: ["node2"] }, "now");
  await bench.clock.advance(0);
  await bench.store.delete("ModeEvidence", "c1.node1");
  writer.say({ ready: true }, "now");
  await bench.clock.advance(5_000);
  const { ready, heard } = await bench.stored();
  assert.deepEqual([ready, heard], [true, ["node2"]]);
});

test("the last word of an agent that ends is written, unless the datastore keeps it waiting", async () => {
  const bench = new Bench();
  const book = bench.book();
  book.writer("c1").say({ ready: true }, "now");
  await bench.clock.advance(0);
  book.writer("c1").say({ heard: ["node2"] });
  const stopping = book.stop();
  await bench.clock.advance(10);
  await stopping;
  assert.deepEqual((await bench.stored()).heard, ["node2"]);

  const other = bench.book();
  bench.away = true;
  other.writer("c1").say({ heard: ["node3"] });
  const ending = other.stop();
  await bench.clock.advance(500);
  await ending;
  bench.away = false;
  await bench.clock.advance(60_000);
  assert.equal(bench.clock.pendingTimers, 0);
  assert.deepEqual((await bench.stored()).heard, ["node2"]);
});

test("a change without orders has no writer any more, and its object stays", async () => {
  const bench = new Bench();
  const book = bench.book();
  const writer = book.writer("c1");
  writer.say({ ready: true }, "now");
  await bench.clock.advance(0);
  const orders = { step: 1, widen: true, prove: "no", guard: false, moved: [], key: "" } as const;
  const status = { phase: "Proving", phaseSince: "", from: "ipip", history: [] } as const;
  const change: ModeChange = {
    apiVersion: "switchyard.io/v1",
    kind: "ModeChange",
    metadata: { name: "c1" },
    spec: {},
  };
  book.follow([
    { ...change, status: { ...status, history: [], orders: { ...orders, moved: [] } } },
  ]);
  writer.say({ heard: ["node2"] }, "now");
  await bench.clock.advance(0);
  assert.deepEqual((await bench.stored()).heard, ["node2"]);
  book.follow([{ ...change, status: { ...status, history: [] } }]);
  writer.say({ ready: false }, "now");
  await bench.clock.advance(10_000);
  assert.equal((await bench.stored()).ready, true);
});

test("results of one node are joined field by field; an error that is not said again is over", () => {
  const before: Evidence = {
    ...noEvidence,
    results: [result("node3"), result("node2", { first: { sent: 3 }, error: "no route" })],
  };
  const { results } = mergeEvidence(before, {
    results: [result("node2", { both: { sent: 3, received: 3 } })],
  });
  assert.deepEqual(results, [
    result("node2", { first: { sent: 3 }, both: { sent: 3, received: 3 } }),
    result("node3"),
  ]);
});

const part: fc.Arbitrary<Partial<Evidence>> = fc.record(
  {
    ready: fc.boolean(),
    proved: fc.constantFrom("no" as const, "first" as const, "full" as const),
    heard: fc.array(fc.constantFrom("node1", "node2", "node3"), { maxLength: 3 }),
    results: fc.array(
      fc.constantFrom("node2", "node3").map((node) => result(node)),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);

test("whatever is said in whatever order, rounds advance only, and who was heard stays heard", () => {
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const rounds = ["no", "first", "full"];
      let known = noEvidence;
      for (const said of parts) {
        const next = mergeEvidence(known, said);
        assert.ok(rounds.indexOf(next.proved) >= rounds.indexOf(known.proved));
        for (const node of [...known.heard, ...(said.heard ?? [])])
          assert.ok(next.heard.includes(node));
        assert.ok(next.results.length >= known.results.length);
        assert.deepEqual(mergeEvidence(next, said), next);
        known = next;
      }
    }),
  );
});
