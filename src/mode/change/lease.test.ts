import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqliteStore } from "../../datastore/index.ts";
import { FakeClock } from "../../lib/index.ts";
import { LeaseCandidate } from "./lease.ts";

function candidates() {
  const clock = new FakeClock();
  const store = openSqliteStore(":memory:", { clock });
  const make = (identity: string) =>
    new LeaseCandidate({ store, clock, name: "c", identity, durationMs: 10_000 });
  return { clock, store, a: make("a"), b: make("b"), make };
}

test("the first takes it, and holds it as long as it renews it", async () => {
  const { clock, a, b } = candidates();
  assert.equal(await a.attempt(), true);
  for (let i = 0; i < 10; i++) {
    assert.equal(await b.attempt(), false);
    await clock.advance(6_000);
    assert.equal(await a.attempt(), true);
  }
  assert.equal(a.held, true);
});

test("one that has not changed for its duration is taken, by whoever watched it that long", async () => {
  const { clock, store, a, b, make } = candidates();
  await a.attempt();
  await b.attempt();
  await clock.advance(9_999);
  assert.equal(await b.attempt(), false);
  await clock.advance(1);
  assert.equal(a.held, false, "the holder knows before others may take it");
  assert.equal(await make("late").attempt(), false, "who has not watched it does not know");
  assert.equal(await b.attempt(), true);
  const { spec } = await store.get("Lease", "c");
  assert.deepEqual([spec.holderIdentity, spec.leaseTransitions], ["b", 1]);
  assert.equal(await a.attempt(), false);
});

test("times in it mean nothing: hosts need not agree on the time", async () => {
  const { store, a, b } = candidates();
  await a.attempt();
  const lease = await store.get("Lease", "c");
  const renewTime = "1970-01-01T00:00:00.000000Z";
  await store.update<"Lease">({ ...lease, spec: { ...lease.spec, renewTime } });
  assert.equal(await b.attempt(), false);
});

test("one that was given up is free at once", async () => {
  const { a, b } = candidates();
  await a.attempt();
  await a.release();
  assert.equal(a.held, false);
  assert.equal(await b.attempt(), true);
  await a.release();
  assert.equal(b.held, true, "nobody gives up what another holds");
});

test("of two who create it at the same time one has it", async () => {
  const { a, b } = candidates();
  const both = await Promise.all([a.attempt(), b.attempt()]);
  assert.deepEqual(both.sort(), [false, true]);
});
