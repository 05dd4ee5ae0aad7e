import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { SwitchyardError, sleep, systemClock } from "../lib/index.ts";
import { withLock } from "./lock.ts";

function lockOf(name: string, timeoutMs?: number) {
  const directory = `/test/${process.pid}/${name}`;
  const holder = `test ${name}`;
  return { directory, holder, clock: systemClock, ...(timeoutMs !== undefined && { timeoutMs }) };
}

test("bodies run one after the other, failures included", async () => {
  const events: string[] = [];
  const body = (name: string) => async () => {
    events.push(`${name} in`);
    await sleep(systemClock, 60);
    events.push(`${name} out`);
    if (name === "b") throw new SwitchyardError("LAB_FAILED", "b failed");
  };
  const results = await Promise.allSettled(
    ["a", "b", "c"].map((name) => withLock(lockOf("order"), body(name))),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  for (let index = 0; index < events.length; index += 2) {
    assert.equal(events[index]?.replace(" in", ""), events[index + 1]?.replace(" out", ""));
  }
});

test("who waits too long is told who holds it", async () => {
  await withLock(lockOf("busy"), async () => {
    await assert.rejects(
      withLock(lockOf("busy", 80), async () => assert.fail("two hold the lock")),
      { code: "LAB_FAILED", message: "the lab is busy: test busy has not finished" },
    );
  });
});

test("the lock of a process that was killed is free at once", async () => {
  const lock = lockOf("killed", 2_000);
  const script = `
    import { withLock } from ${JSON.stringify(new URL("./lock.ts", import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL("../lib/index.ts", import.meta.url).href)};
    await withLock({ directory: ${JSON.stringify(lock.directory)}, holder: "x", clock: systemClock },
      async () => { console.log("held"); await new Promise((done) => setTimeout(done, 60_000)); });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  child.stderr.pipe(process.stderr);
  const [said] = await once(child.stdout, "data");
  assert.equal(String(said), "held\n");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(await withLock(lock, async () => "mine"), "mine");
});
