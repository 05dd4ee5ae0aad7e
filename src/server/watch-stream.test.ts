import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Datastore, openApiClient, openSqliteStore } from "../datastore/index.ts";
import { hasCode, SwitchyardError, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { buildApp } from "./app.ts";

test("a watch that fails under way tells its reader why, and ends", async () => {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-watch-"));
  const socketPath = join(directory, "api.sock");
  const sqlite = openSqliteStore(":memory:");
  const failing: Datastore = {
    get: (kind, name, options) => sqlite.get(kind, name, options),
    list: (kind, options) => sqlite.list(kind, options),
    create: (resource) => sqlite.create(resource),
    update: (resource) => sqlite.update(resource),
    delete: (kind, name, options) => sqlite.delete(kind, name, options),
    async *watch() {
      yield { type: "bookmark", resourceVersion: "7" };
      throw new SwitchyardError("WATCH_EXPIRED", "the watch fell too far behind: list again");
    },
    close: () => sqlite.close(),
  };
  const closing = new AbortController();
  const app = buildApp({
    store: failing,
    log: silentLog,
    clock: systemClock,
    closing: closing.signal,
  });
  await app.listen({ path: socketPath });
  const client = openApiClient({ socketPath });
  const events = client.watch("Node", { resourceVersion: "1" })[Symbol.asyncIterator]();
  assert.deepEqual((await events.next()).value, { type: "bookmark", resourceVersion: "7" });
  await assert.rejects(events.next(), (error: Error) => {
    assert.ok(hasCode(error, "WATCH_EXPIRED"));
    assert.equal(error.message, "the watch fell too far behind: list again");
    return true;
  });
  await client.close();
  await app.close();
  await sqlite.close();
  await rm(directory, { recursive: true });
});
