import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasCode, systemClock } from "../../lib/index.ts";
import type { IPPool } from "../../model/index.ts";
import { datastoreContract } from "../contract.test-suite.ts";
import { openDatabase } from "./database.ts";
import { openSqliteStore } from "./index.ts";
import { SqliteStore } from "./store.ts";

datastoreContract({
  name: "sqlite",
  async open() {
    const store = openSqliteStore(":memory:", { keepLogEntries: 200 });
    return { store, close: () => store.close() };
  },
});

const pool: IPPool = {
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: { name: "a" },
  spec: { cidr: "10.0.0.0/16" },
};

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-sqlite-"));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("sqlite: objects, revisions and the watch log survive reopening", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "store.db");
    const first = openSqliteStore(path);
    const created = await first.create(pool);
    const updated = await first.update({ ...created, spec: { ...created.spec, disabled: true } });
    await first.close();
    const second = openSqliteStore(path);
    assert.deepEqual(await second.get("IPPool", "a"), updated);
    const since = created.metadata.resourceVersion!;
    for await (const event of second.watch("IPPool", { resourceVersion: since })) {
      assert.deepEqual(event, { type: "modified", resource: updated });
      break;
    }
    const again = await second.update({ ...updated, spec: { ...updated.spec, disabled: false } });
    assert.equal(
      Number(again.metadata.resourceVersion),
      Number(updated.metadata.resourceVersion) + 1,
    );
    await second.close();
  });
});

test("sqlite: a database in use is refused, and usable again after close", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "store.db");
    const first = openSqliteStore(path);
    assert.throws(
      () => openSqliteStore(path),
      (error: Error) => {
        assert.ok(hasCode(error, "DATASTORE_UNAVAILABLE"));
        assert.equal(error.message, `cannot open datastore ${path}: database is locked`);
        return true;
      },
    );
    await first.close();
    await openSqliteStore(path).close();
  });
});

test("sqlite: a closed store refuses, and its watches end with an error", async () => {
  const store = openSqliteStore(":memory:");
  const { resourceVersion } = await store.list("IPPool");
  const events = store.watch("IPPool", { resourceVersion })[Symbol.asyncIterator]();
  await events.next();
  const pending = events.next();
  await store.close();
  const closed = (error: unknown) => hasCode(error, "DATASTORE_UNAVAILABLE");
  await assert.rejects(pending, closed);
  await assert.rejects(store.list("IPPool"), closed);
});

test("sqlite: a write that the disk refuses changes nothing, and the store goes on", async () => {
  await inDirectory(async (directory) => {
    const database = openDatabase(join(directory, "store.db"));
    database.exec("PRAGMA max_page_count = 30");
    const store = new SqliteStore({
      database,
      clock: systemClock,
      keepLogEntries: 1,
      bookmarkDelayMs: 25,
    });
    const annotations = { big: "x".repeat(8_000) };
    const big = (name: string) => store.create({ ...pool, metadata: { name, annotations } });
    let created = 0;
    const refused = await (async () => {
      for (;;) {
        try {
          await big(`p${created}`);
          created++;
        } catch (error) {
          return error as Error;
        }
      }
    })();
    assert.ok(created > 0);
    assert.ok(hasCode(refused, "DATASTORE_UNAVAILABLE"));
    assert.equal(
      refused.message,
      `cannot write IPPool p${created} to the datastore: database or disk is full`,
    );
    const list = await store.list("IPPool");
    assert.equal(list.items.length, created);
    assert.equal(list.resourceVersion, `${created}`);
    database.exec("PRAGMA max_page_count = 1000");
    assert.equal((await big("again")).metadata.resourceVersion, `${created + 1}`);
    await store.close();
  });
});

test("sqlite: a database of a newer program is refused", async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, "store.db");
    const database = openDatabase(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(() => openSqliteStore(path), {
      message: `cannot open datastore ${path}: its schema 99 is newer than this program's`,
    });
  });
});
