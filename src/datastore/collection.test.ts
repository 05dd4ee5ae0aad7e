import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, SwitchyardError, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { IPPool } from "../model/index.ts";
import { Collection } from "./collection.ts";
import { type Datastore, openSqliteStore } from "./index.ts";

function pool(name: string, cidr = "10.0.0.0/16"): IPPool {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "IPPool",
    metadata: { name },
    spec: { cidr },
  };
}

function collectionOf(store: Pick<Datastore, "list" | "watch">, clock = systemClock) {
  return new Collection({ store, kind: "IPPool", clock, log: silentLog });
}

test("a collection lists, follows, and waits for any revision of the store", async () => {
  const store = openSqliteStore(":memory:");
  await store.create(pool("a"));
  const pools = collectionOf(store);
  const changes: string[] = [];
  pools.onChange((batch) => changes.push(batch.map((it) => `${it.type} ${it.key}`).join(",")));
  pools.start();
  const b = await store.create(pool("b"));
  await pools.waitFor(b.metadata.resourceVersion!);
  assert.deepEqual([...pools.items().keys()].sort(), ["a", "b"]);
  assert.ok(pools.synced && pools.connected);
  const other = await store.create({
    apiVersion: "projectcalico.org/v3",
    kind: "IPAMHandle",
    metadata: { name: "h" },
    spec: { handleID: "h", block: {} },
  });
  await pools.waitFor(other.metadata.resourceVersion!);
  await store.delete("IPPool", "a");
  await pools.waitFor((await store.list("IPPool")).resourceVersion);
  assert.deepEqual([...pools.items().keys()], ["b"]);
  assert.equal(changes.at(-1), "deleted a");
  await pools.stop();
  assert.equal(pools.connected, false);
  await store.close();
});

test("what is not to be kept is still told to listeners", async () => {
  const store = openSqliteStore(":memory:");
  await store.create(pool("a"));
  const pools = new Collection({
    store,
    kind: "IPPool",
    clock: systemClock,
    log: silentLog,
    keep: (resource) => ({ ...resource, spec: { cidr: "0.0.0.0/0" } }),
  });
  const told: string[] = [];
  pools.onChange((changes) => told.push(...changes.map(({ resource }) => resource.spec.cidr)));
  pools.start();
  const b = await store.create(pool("b", "10.1.0.0/16"));
  await pools.waitFor(b.metadata.resourceVersion!);
  assert.deepEqual(told, ["10.0.0.0/16", "10.1.0.0/16"]);
  assert.deepEqual(
    [...pools.items().values()].map(({ spec }) => spec.cidr),
    ["0.0.0.0/0", "0.0.0.0/0"],
  );
  await pools.stop();
  await store.close();
});

test("an empty list still counts as synced and is announced", async () => {
  const store = openSqliteStore(":memory:");
  const pools = collectionOf(store);
  const announced = new Promise<number>((resolve) => {
    pools.onChange((changes) => resolve(changes.length));
  });
  pools.start();
  assert.equal(await announced, 0);
  assert.ok(pools.synced);
  await pools.stop();
  await store.close();
});

test("waitFor ends with the signal's reason", async () => {
  const store = openSqliteStore(":memory:");
  const pools = collectionOf(store);
  pools.start();
  const stop = new AbortController();
  const waiting = pools.waitFor("1000", stop.signal);
  stop.abort(new Error("too late"));
  await assert.rejects(waiting, /too late/);
  await pools.stop();
  await store.close();
});

test("while the datastore is away the objects stay; afterwards only differences are told", async () => {
  const store = openSqliteStore(":memory:");
  await store.create(pool("gone"));
  const kept = await store.create(pool("kept"));
  const clock = new FakeClock();
  const away = () => new SwitchyardError("DATASTORE_UNAVAILABLE", "nobody answers");
  let broken = false;
  let cut = new AbortController();
  const pools = collectionOf(
    {
      list: async (kind) => {
        if (broken) throw away();
        return store.list(kind);
      },
      async *watch(kind, options) {
        const signal = AbortSignal.any([cut.signal, options.signal!]);
        yield* store.watch(kind, { ...options, signal });
        if (!options.signal?.aborted) throw away();
      },
    },
    clock,
  );
  const changes: string[] = [];
  pools.onChange((batch) => changes.push(...batch.map((it) => `${it.type} ${it.key}`)));
  pools.start();
  await clock.advance(1);
  assert.deepEqual(changes, ["added gone", "added kept"]);
  broken = true;
  cut.abort();
  cut = new AbortController();
  await clock.advance(50);
  assert.equal(pools.connected, false);
  assert.equal(pools.lastError, "nobody answers");
  assert.deepEqual([...pools.items().keys()], ["gone", "kept"]);
  await store.delete("IPPool", "gone");
  await store.update({ ...kept, spec: { ...kept.spec, disabled: true } });
  await store.create(pool("new"));
  await clock.advance(60_000);
  assert.equal(pools.connected, false);
  broken = false;
  await clock.advance(5_000);
  assert.equal(pools.connected, true);
  assert.equal(pools.lastError, undefined);
  assert.deepEqual(changes.slice(2).sort(), ["added new", "deleted gone", "modified kept"]);
  await pools.stop();
  await store.close();
});

test("a watch that expired leads to a new list", async () => {
  const store = openSqliteStore(":memory:", { keepLogEntries: 20 });
  let lists = 0;
  const clock = new FakeClock();
  let expired = false;
  const pools = collectionOf(
    {
      list: async (kind) => {
        lists++;
        return store.list(kind);
      },
      async *watch(kind, options) {
        if (!expired) {
          expired = true;
          throw new SwitchyardError("WATCH_EXPIRED", "too old, list again");
        }
        yield* store.watch(kind, options);
      },
    },
    clock,
  );
  pools.start();
  await clock.advance(1_000);
  assert.equal(lists, 2);
  assert.ok(pools.connected);
  await pools.stop();
  await store.close();
});

test("a listener that throws harms nobody else", async () => {
  const store = openSqliteStore(":memory:");
  const pools = collectionOf(store);
  let heard = 0;
  pools.onChange(() => {
    throw new Error("mine");
  });
  pools.onChange(() => heard++);
  pools.start();
  const created = await store.create(pool("a"));
  await pools.waitFor(created.metadata.resourceVersion!);
  assert.ok(heard > 0);
  await pools.stop();
  await store.close();
});
