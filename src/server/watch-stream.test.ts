import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Datastore,
  openApiClient,
  openSqliteStore,
  type WatchEvent,
} from "../datastore/index.ts";
import { hasCode, SwitchyardError, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { ResourceOf } from "../model/index.ts";
import { buildApp } from "./app.ts";

/** A server whose watches tell of this, and then fail. */
async function serving(
  told: readonly WatchEvent<"Service">[],
  body: (socketPath: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-watch-"));
  const socketPath = join(directory, "api.sock");
  const sqlite = openSqliteStore(":memory:");
  const store: Datastore = {
    get: (kind, name, options) => sqlite.get(kind, name, options),
    list: (kind, options) => sqlite.list(kind, options),
    create: (resource) => sqlite.create(resource),
    update: (resource) => sqlite.update(resource),
    delete: (kind, name, options) => sqlite.delete(kind, name, options),
    async *watch() {
      yield* told as never[];
      throw new SwitchyardError("WATCH_EXPIRED", "the watch fell too far behind: list again");
    },
    close: () => sqlite.close(),
  };
  const closing = new AbortController();
  const clock = systemClock;
  const app = buildApp({ store, log: silentLog, clock, closing: closing.signal });
  await app.listen({ path: socketPath });
  try {
    await body(socketPath);
  } finally {
    await app.close();
    await sqlite.close();
    await rm(directory, { recursive: true });
  }
}

test("a watch that fails under way tells its reader why, and ends", () =>
  serving([{ type: "bookmark", resourceVersion: "7" }], async (socketPath) => {
    const client = openApiClient({ socketPath });
    const events = client.watch("Node", { resourceVersion: "1" })[Symbol.asyncIterator]();
    assert.deepEqual((await events.next()).value, { type: "bookmark", resourceVersion: "7" });
    await assert.rejects(events.next(), (error: Error) => {
      assert.ok(hasCode(error, "WATCH_EXPIRED"));
      assert.equal(error.message, "the watch fell too far behind: list again");
      return true;
    });
    await client.close();
  }));

test("what leaves the selection of a watch has gone for who asked, and the rest is not told", async () => {
  const web = (app: string) =>
    ({
      ...{ apiVersion: "v1", kind: "Service", spec: {} },
      metadata: { name: "web", namespace: "shop", labels: { app } },
    }) as ResourceOf<"Service">;
  const events: WatchEvent<"Service">[] = [
    { type: "added", resource: web("web") },
    { type: "modified", resource: web("web") },
    { type: "modified", resource: web("api") },
    { type: "added", resource: web("api") },
    { type: "deleted", resource: web("api") },
    { type: "deleted", resource: web("web") },
  ];
  await serving(events, async (socketPath) => {
    const path = "/api/v1/services?watch=true&resourceVersion=1&labelSelector=app%3Dweb";
    const lines = await new Promise<string[]>((resolve, reject) => {
      const outgoing = request({ socketPath, path }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve(text.trim().split("\n")));
      });
      outgoing.on("error", reject);
      outgoing.end();
    });
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { type: string }).type),
      ["ADDED", "MODIFIED", "DELETED", "DELETED", "ERROR"],
    );
  });
});
