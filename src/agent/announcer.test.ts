import assert from "node:assert/strict";
import { test } from "node:test";
import { openSqliteStore, withRules } from "../datastore/index.ts";
import { FakeClock } from "../lib/index.ts";
import type { NodeMode } from "../model/index.ts";
import { type Announcement, Announcer } from "./announcer.ts";

const announcement = (waiting: string[], changes: Partial<Announcement> = {}): Announcement => ({
  accepts: ["none", "ipip"],
  sends: ["ipip"],
  destinations: { ipip: 3 - waiting.length },
  pools: { pool: { mode: "IPIPAlways", resourceVersion: "1", realised: false, waiting } },
  failures: [],
  agentVersion: "test",
  ...changes,
});

/** One node whose view of itself is always current. */
function bench() {
  const clock = new FakeClock();
  const store = withRules(openSqliteStore(":memory:"), { clock });
  let shown: NodeMode | undefined;
  let writes = 0;
  const announcer = new Announcer({
    store,
    node: "node1",
    clock,
    cluster: {
      nodeMode: () => shown,
      nodeModesAt: async () => {
        writes++;
        shown = await store.get("NodeMode", "node1");
      },
    },
  });
  return { clock, announcer, writes: () => writes, shown: () => shown?.status };
}

test("progress in detail is said once a second, and not lost", async () => {
  const { clock, announcer, writes, shown } = bench();
  await announcer.publish(announcement(["a", "b", "c"]));
  await announcer.publish(announcement(["b", "c"]));
  await announcer.publish(announcement(["c"]));
  assert.equal(writes(), 1);
  assert.equal(announcer.dueMs, clock.monotonicMs() + 1_000);
  await clock.advance(1_000);
  await announcer.publish(announcement(["c"]));
  assert.equal(writes(), 2);
  assert.equal(announcer.dueMs, undefined);
  assert.deepEqual(shown()?.pools.pool?.waiting, ["c"]);
});

test("what others act on is said at once", async () => {
  const { announcer, writes, shown } = bench();
  await announcer.publish(announcement(["a"]));
  await announcer.publish(announcement(["a"], { sends: ["none", "ipip"] }));
  await announcer.publish(announcement(["a"], { sends: ["none", "ipip"], accepts: ["none"] }));
  const pools = { pool: { mode: "None", resourceVersion: "2", realised: true, waiting: [] } };
  await announcer.publish(announcement([], { pools }));
  assert.equal(writes(), 4);
  assert.deepEqual(shown()?.pools, pools);
});

test("a word that was said before the start is said again: a write may have been on its way", async () => {
  const { announcer, writes } = bench();
  const sends = () => announcer.said?.sends;
  assert.equal(sends(), undefined);
  await announcer.publish(announcement([]));
  await announcer.publish(announcement([]));
  assert.equal(writes(), 1);
  assert.deepEqual(sends(), ["ipip"]);
});
