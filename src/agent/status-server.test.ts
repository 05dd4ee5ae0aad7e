import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasCode } from "../lib/index.ts";
import type { AgentStatus } from "./status.ts";
import { serveStatus } from "./status-server.ts";

const status: AgentStatus = {
  node: "node1",
  version: "test",
  pid: 1,
  startedAt: "2026-01-01T00:00:00.000Z",
  ready: false,
  notReady: "no plan has been applied yet",
  datastore: { connected: true, since: "2026-01-01T00:00:00.000Z" },
  ipipBackend: "none",
  accepts: [],
  sends: [],
  pools: {},
  peers: [],
  guard: { sent: 400, lost: 3, breaches: 1 },
  passes: 0,
  routes: { programmed: 0, wanted: 0 },
  failures: [],
};
const source = {
  status: () => status,
  diff: () => Promise.reject(new Error("no plan has been applied yet")),
  bgp: () => undefined,
};

async function withSocket(body: (socketPath: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-agent-"));
  try {
    await body(join(directory, "node1", "agent.sock"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function ask(socketPath: string, path: string, method = "GET") {
  return new Promise<{ code: number; body: string }>((resolve, reject) => {
    const outgoing = request({ socketPath, path, method, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ code: response.statusCode ?? 0, body }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

test("each path has its answer; nothing but GET is served", async () => {
  await withSocket(async (path) => {
    const server = await serveStatus(path, source);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    assert.deepEqual(JSON.parse((await ask(path, "/status")).body), status);
    assert.deepEqual(await ask(path, "/healthz"), { code: 200, body: "ok\n" });
    assert.deepEqual(await ask(path, "/readyz"), {
      code: 503,
      body: "no plan has been applied yet\n",
    });
    assert.deepEqual(await ask(path, "/diff"), {
      code: 503,
      body: "no plan has been applied yet\n",
    });
    assert.match((await ask(path, "/metrics")).body, /^switchyard_ready 0$/m);
    assert.deepEqual(await ask(path, "/bgp/peers"), { code: 503, body: "no BGP is spoken yet\n" });
    assert.equal((await ask(path, "/elsewhere")).code, 404);
    assert.equal((await ask(path, "/status", "POST")).code, 405);
    await server.close();
    assert.ok(!existsSync(path));
  });
});

test("a second agent of a node is refused, and the first keeps its socket", async () => {
  await withSocket(async (path) => {
    const first = await serveStatus(path, source);
    await assert.rejects(serveStatus(path, source), (error: Error) => {
      assert.ok(hasCode(error, "SOCKET_UNUSABLE"));
      assert.match(error.message, /agent\.sock: another agent answers there$/);
      return true;
    });
    assert.equal((await ask(path, "/healthz")).code, 200);
    await first.close();
  });
});

test("the socket of an agent that was killed is replaced; a file that is no socket is not", async () => {
  await withSocket(async (path) => {
    const first = await serveStatus(path, source);
    await first.close();
    const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    await once(spawn(process.execPath, ["-e", script, path]), "exit");
    assert.ok(existsSync(path));
    const second = await serveStatus(path, source);
    assert.equal((await ask(path, "/healthz")).code, 200);
    await second.close();

    writeFileSync(path, "precious");
    chmodSync(path, 0o600);
    await assert.rejects(serveStatus(path, source), /a file that is not a socket is in the way/);
    assert.ok(existsSync(path));
  });
});

test("a directory that cannot be made is one line, not a stack", async () => {
  await withSocket(async (path) => {
    const file = join(path, "..", "..", "occupied");
    writeFileSync(file, "");
    await assert.rejects(serveStatus(join(file, "agent.sock"), source), (error: Error) => {
      assert.ok(hasCode(error, "SOCKET_UNUSABLE"), `${error}`);
      return true;
    });
  });
});
