import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SwitchyardError, systemClock } from "../lib/index.ts";
import { identifyProcess } from "./process-identity.ts";
import {
  type AgentAnswer,
  agentProblems,
  askAgent,
  askRouter,
  lastLines,
  routerProblems,
  waitUntilReady,
} from "./readiness.ts";
import { serveJson } from "./unix-http.ts";

const router = { address: "172.139.20.1", type: "node specific" };
const ready: AgentAnswer = {
  node: "node1",
  ready: true,
  notReady: "",
  ipipBackend: "bpf",
  pools: { pool: { mode: "IPIPAlways", realised: true, waiting: [] } },
  peers: [{ ...router, up: true, info: "Established" }],
  failures: [],
};

const cases: readonly (readonly [string, Partial<AgentAnswer>, readonly string[]])[] = [
  ["all well", {}, []],
  ["not ready", { ready: false, notReady: "no plan" }, ["node1: not ready: no plan"]],
  [
    "a session down",
    { peers: [{ ...router, up: false, info: "Connect refused" }] },
    ["node1: session with 172.139.20.1: Connect refused"],
  ],
  [
    "a pod that does not speak",
    { peers: [{ address: "10.244.1.5", type: "local workload", up: false, info: "Active" }] },
    [],
  ],
  [
    "a mode not reached",
    { pools: { pool: { mode: "None", realised: false, waiting: ["node2 is silent", "x"] } } },
    ["node1: pool pool has not reached None: node2 is silent; x"],
  ],
  ["a refusal", { failures: ["route 10.0.0.0/8: no"] }, ["node1: route 10.0.0.0/8: no"]],
];

for (const [name, answer, problems] of cases) {
  test(`an agent's answer: ${name}`, () => {
    assert.deepEqual(agentProblems({ ...ready, ...answer }), problems);
  });
}

test("a router's answer: only sessions that are not Established are problems", () => {
  const session = { peer: "node1", address: "172.139.20.75", routes: 1, lastError: "" };
  const sessions = [
    { ...session, state: "Established" },
    { ...session, peer: "node2", state: "Active", lastError: "hold timer" },
  ];
  assert.deepEqual(routerProblems({ sessions, routes: {}, failures: ["route x: no"] }), [
    "router: session with node2: Active hold timer",
    "router: route x: no",
  ]);
});

function inDirectory(body: (directory: string) => Promise<void>) {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), "lab-ready-"));
    try {
      await body(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

test(
  "answers come over the socket; other paths and shapes are errors that name it",
  inDirectory(async (directory) => {
    const socketPath = join(directory, "s.sock");
    await assert.rejects(askAgent(socketPath), {
      code: "LAB_FAILED",
      message: `GET /status on ${socketPath}: connect ENOENT ${socketPath}`,
    });
    const status = { ...ready, somethingNew: 1 };
    const server = await serveJson(socketPath, { "/status": () => status });
    assert.deepEqual(await askAgent(socketPath), status);
    await assert.rejects(askRouter(socketPath), /sessions/);
    await server.close();
    const other = await serveJson(socketPath, {});
    await assert.rejects(askAgent(socketPath), { message: /: 404 not found$/ });
    await other.close();
  }),
);

test(
  "a process that ended is said at once, with the end of its log",
  inDirectory(async (directory) => {
    const logFile = join(directory, "x.log");
    writeFileSync(logFile, "one\ntwo\n    at frame (file.ts:1)\n");
    const child = spawn("sleep", ["60"]);
    const identity = identifyProcess(child.pid!)!;
    const wait = {
      what: "the agent of node1",
      process: identity,
      logFile,
      clock: systemClock,
      problems: async () => ["not yet"],
    };
    await assert.rejects(waitUntilReady({ ...wait, timeoutMs: 60 }), {
      code: "LAB_FAILED",
      message: `the agent of node1 is not ready: not yet\n  its log is ${logFile}\n  | one\n  | two`,
    });
    child.kill("SIGKILL");
    await once(child, "exit");
    await assert.rejects(waitUntilReady({ ...wait, timeoutMs: 60_000 }), /is not ready: it ended/);
    await waitUntilReady({ ...wait, timeoutMs: 0, problems: async () => [] });
  }),
);

test("an error while asking is the reason", async () => {
  const wait = {
    what: "the router",
    process: identifyProcess(process.pid)!,
    logFile: "/nonexistent",
    clock: systemClock,
    timeoutMs: 0,
  };
  const problems = async () => {
    throw new SwitchyardError("LAB_FAILED", "no answer");
  };
  await assert.rejects(waitUntilReady({ ...wait, problems }), {
    message: "the router is not ready: no answer\n  its log is /nonexistent",
  });
  assert.deepEqual(lastLines("/nonexistent", 3), []);
});
