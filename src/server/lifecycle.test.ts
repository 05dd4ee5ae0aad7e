import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Collection, openApiClient } from "../datastore/index.ts";
import { type ErrorCode, hasCode, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { IPPool } from "../model/index.ts";
import { type Place, serve, withPlace } from "./http.test-support.ts";

function pool(name: string, cidr: string): IPPool {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "IPPool",
    metadata: { name },
    spec: { cidr },
  };
}

function unavailable(message: RegExp, code: ErrorCode = "DATASTORE_UNAVAILABLE") {
  return (error: Error) => {
    assert.ok(hasCode(error, code), `${error}`);
    assert.match(error.message, message);
    return true;
  };
}

test("the socket is for owner and group only and goes with the server, data is the owner's", async () => {
  await withPlace(async (place) => {
    const server = await serve(place);
    const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
    assert.equal(await modeOf(place.socketPath), 0o660);
    assert.equal(await modeOf(dirname(place.socketPath)), 0o755);
    assert.equal(await modeOf(place.databasePath), 0o600);
    assert.equal(await modeOf(`${place.databasePath}-wal`), 0o600);
    assert.equal(await modeOf(dirname(place.databasePath)), 0o750);
    await server.close();
    await assert.rejects(stat(place.socketPath), { code: "ENOENT" });
  });
});

test("a second server is refused, by socket and by database, and the first goes on", async () => {
  await withPlace(async (place) => {
    const server = await serve(place);
    await assert.rejects(
      serve(place),
      unavailable(/api\.sock: another server answers there$/, "SOCKET_UNUSABLE"),
    );
    const elsewhere = { ...place, socketPath: `${place.socketPath}2` };
    await assert.rejects(
      serve(elsewhere),
      unavailable(/cannot open datastore .*: database is locked$/),
    );
    await assert.rejects(stat(elsewhere.socketPath), { code: "ENOENT" });
    const store = openApiClient(place);
    assert.equal((await store.list("ClusterInformation")).items.length, 1);
    await store.close();
    await server.close();
  });
});

test("what a dead server left is replaced; what is no socket is not", async () => {
  await withPlace(async (place) => {
    const server = await serve(place);
    await server.close();
    // A socket file that nobody listens on: closing would unlink it, so the name is moved away first.
    const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    const dead = spawn(process.execPath, ["-e", script, place.socketPath]);
    await once(dead, "exit");
    assert.ok((await stat(place.socketPath)).isSocket());
    const client = openApiClient(place);
    await assert.rejects(
      client.list("Node"),
      unavailable(/cannot reach the API server at unix:.*api\.sock: ECONNREFUSED$/),
    );
    const again = await serve(place);
    assert.equal((await client.list("Node")).items.length, 0);
    await client.close();
    await again.close();

    await writeFile(place.socketPath, "not a socket");
    await assert.rejects(
      serve(place),
      unavailable(/a file that is not a socket is in the way$/, "SOCKET_UNUSABLE"),
    );
  });
});

test("without a server the client says where it looked and what the kernel said", async () => {
  await withPlace(async (place) => {
    const store = openApiClient(place);
    const where = unavailable(/^cannot reach the API server at unix:.*\/run\/api\.sock: ENOENT$/);
    await assert.rejects(store.get("Node", "n"), where);
    const watch = store.watch("Node", { resourceVersion: "1" })[Symbol.asyncIterator]();
    await assert.rejects(watch.next(), where);
    await store.close();
  });
});

test("what answers but is no API server is told apart", async () => {
  await withPlace(async ({ directory }) => {
    const socketPath = join(directory, "other.sock");
    const other = createServer((socket) => {
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    }).listen(socketPath);
    await once(other, "listening");
    const store = openApiClient({ socketPath });
    await assert.rejects(store.list("Node"), unavailable(/does not speak JSON/));
    await store.close();
    other.close();
  });
});

test("a restart keeps objects, identity and revisions, and a collection catches up", async () => {
  await withPlace(async (place) => {
    let server = await serve(place);
    const store = openApiClient(place);
    const created = await store.create(pool("a", "10.0.0.0/16"));
    const identity = await store.get("ClusterInformation", "default");
    const pools = new Collection({ store, kind: "IPPool", clock: systemClock, log: silentLog });
    const stateChanged = () => new Promise<void>((resolve) => pools.onState(resolve));
    pools.start();
    await pools.waitFor(created.metadata.resourceVersion!);
    if (!pools.connected) await stateChanged();
    const lost = stateChanged();
    await server.close();
    await lost;
    assert.equal(pools.connected, false);
    assert.deepEqual([...pools.items().keys()], ["a"]);
    server = await serve(place);
    assert.deepEqual(await store.get("IPPool", "a"), created);
    assert.deepEqual(await store.get("ClusterInformation", "default"), identity);
    const later = await store.create(pool("b", "11.0.0.0/16"));
    assert.ok(Number(later.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
    await pools.waitFor(later.metadata.resourceVersion!);
    assert.deepEqual([...pools.items().keys()].sort(), ["a", "b"]);
    await pools.stop();
    await store.close();
    await server.close();
  });
});

/** A server in a process of its own, which ends when nothing is left running in it. */
function startProcess({ socketPath, databasePath }: Place) {
  const support = new URL("./http.test-support.ts", import.meta.url).href;
  const script = `
    const { serve } = await import(${JSON.stringify(support)});
    const server = await serve(${JSON.stringify({ socketPath, databasePath })});
    process.once("SIGTERM", () => server.close());
    console.log("ready");`;
  return spawn(process.execPath, ["--input-type=module", "-e", script]);
}

test("kill -9 loses nothing; a closed server leaves nothing running", {
  timeout: 60_000,
}, async () => {
  await withPlace(async (place) => {
    const store = openApiClient(place);
    const first = startProcess(place);
    await once(first.stdout, "data");
    const created = await store.create(pool("a", "10.0.0.0/16"));
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = startProcess(place);
    await once(second.stdout, "data");
    assert.deepEqual(await store.get("IPPool", "a"), created);
    second.kill("SIGTERM");
    const [code] = await once(second, "exit");
    assert.equal(code, 0);
    await assert.rejects(stat(place.socketPath), { code: "ENOENT" });
    await store.close();
  });
});
