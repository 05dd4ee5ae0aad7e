import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, hasCode } from "../../lib/index.ts";
import type { Kind, Resource } from "../../model/index.ts";
import { WatchHub } from "./watch-hub.ts";

function resource(kind: Kind, revision: number): Resource {
  const metadata = { name: "n", resourceVersion: String(revision) };
  return { apiVersion: "projectcalico.org/v3", kind, metadata, spec: {} } as Resource;
}

function open() {
  const clock = new FakeClock();
  const hub = new WatchHub({ clock, bookmarkDelayMs: 25 });
  const signal = undefined;
  const follow = (kind: Kind) => hub.subscribe({ kind, replay: [], signal });
  return { clock, hub, follow };
}

test("a reader that falls too far behind is cut off instead of being queued for", async () => {
  const { hub, follow } = open();
  const slow = follow("Node");
  const first = slow.next();
  hub.publish({ type: "added", resource: resource("Node", 1) });
  assert.equal((await first).value?.type, "added");
  for (let i = 2; i < 20_010; i++) hub.publish({ type: "modified", resource: resource("Node", i) });
  await assert.rejects(slow.next(), (error) => hasCode(error, "WATCH_EXPIRED"));
});

test("many writes to other kinds cost a watch one bookmark, with the latest revision", async () => {
  const { clock, hub, follow } = open();
  const nodes = follow("Node");
  const next = nodes.next();
  for (let i = 1; i <= 100; i++) hub.publish({ type: "added", resource: resource("IPPool", i) });
  assert.equal(clock.pendingTimers, 1);
  await clock.advance(25);
  assert.deepEqual((await next).value, { type: "bookmark", resourceVersion: "100" });
  assert.equal(clock.pendingTimers, 0);
});

test("an event of its own kind makes the bookmark needless", async () => {
  const { clock, hub, follow } = open();
  const nodes = follow("Node");
  const next = nodes.next();
  hub.publish({ type: "added", resource: resource("IPPool", 1) });
  hub.publish({ type: "added", resource: resource("Node", 2) });
  assert.equal((await next).value?.type, "added");
  const later = nodes.next();
  await clock.advance(100);
  hub.publish({ type: "deleted", resource: resource("Node", 3) });
  assert.equal((await later).value?.type, "deleted");
});

test("a reader that leaves is forgotten", async () => {
  const { clock, hub, follow } = open();
  const nodes = follow("Node");
  const next = nodes.next();
  hub.publish({ type: "added", resource: resource("Node", 1) });
  await next;
  await nodes.return();
  hub.publish({ type: "added", resource: resource("IPPool", 2) });
  assert.equal(clock.pendingTimers, 0);
});
