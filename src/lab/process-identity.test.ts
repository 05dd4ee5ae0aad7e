import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { systemClock } from "../lib/index.ts";
import {
  identifyProcess,
  isAlive,
  markedProcesses,
  processesInside,
  processMark,
  signalProcess,
} from "./process-identity.ts";
import { stopProcesses } from "./processes.ts";

function sleeper(environment: Record<string, string> = {}) {
  const child = spawn("sleep", ["60"], { env: { ...process.env, ...environment } });
  return { child, ended: once(child, "exit") };
}

test("a process is known by pid and start time, and a reused pid is not it", async () => {
  const { child, ended } = sleeper();
  const identity = identifyProcess(child.pid!);
  assert.ok(identity !== undefined && identity.startTime > 0);
  assert.ok(isAlive(identity));
  const stranger = { ...identity, startTime: identity.startTime - 1 };
  assert.equal(isAlive(stranger), false);
  assert.equal(signalProcess(stranger, "SIGKILL"), false);
  assert.ok(isAlive(identity), "the stranger's record killed it");
  assert.equal(signalProcess(identity, "SIGKILL"), true);
  await ended;
  assert.equal(isAlive(identity), false);
  assert.equal(signalProcess(identity, "SIGKILL"), false);
});

test("marked processes are found without a record, by directory and name", async () => {
  const directory = `/run/switchyard/test-${process.pid}`;
  const { child, ended } = sleeper({ [processMark]: `${directory} agent-node1` });
  await once(child, "spawn");
  assert.deepEqual(
    markedProcesses(directory)
      .get("agent-node1")
      ?.map(({ pid }) => pid),
    [child.pid],
  );
  assert.equal(markedProcesses(`${directory}0`).size, 0);
  await stopProcesses([identifyProcess(child.pid!)!], systemClock);
  await ended;
  assert.equal(markedProcesses(directory).size, 0);
});

test("a process that ignores SIGTERM is killed", async () => {
  const child = spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]);
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  await stopProcesses([identifyProcess(child.pid!)!], systemClock);
  assert.deepEqual(await ended, [null, "SIGKILL"]);
});

test("the own line of processes is never among those inside a namespace", () => {
  const inside = processesInside(["/proc/self/ns/net"]).map(({ pid }) => pid);
  assert.ok(!inside.includes(process.pid));
  assert.ok(!inside.includes(process.ppid));
  assert.deepEqual(processesInside(["/run/netns/there-is-none"]), []);
});
