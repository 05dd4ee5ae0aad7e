/**
 * Something goes wrong at a step boundary of a mode change, on a live lab: a few cases of the matrix that
 * `npm run matrix` plays whole, and the change that nobody confirms.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { killAgent, startAgent } from "../../src/lab/index.ts";
import { sleep } from "../../src/lib/index.ts";
import { requestChange } from "../../src/mode/index.ts";
import type { ModeChange, ModeChangeStatus } from "../../src/model/index.ts";
import { boundaries } from "./fault-matrix/boundaries.ts";
import { everyNodeIs, modeOf, nextMode, runCase } from "./fault-matrix/run-case.ts";
import { driverNode, matrixLab, troubles } from "./fault-matrix/troubles.ts";
import { clock, losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("trouble", matrixLab);
});
after(async () => {
  await stage?.close();
});

/** By the words of the matrix: one that is not there any more is an error, not a test less. */
const cases = [
  ["the whole proof is ordered", "the datastore is away"],
  ["the canary is to move", "the driver's agent is killed"],
  ["a wave is to move", "node3 is cut off from the fabric"],
  ["it waits to be confirmed", "a second operator patches the pool to a third mode"],
] as const;

for (const [index, [where, what]] of cases.entries()) {
  const boundary = boundaries.find(({ name }) => name === where);
  const trouble = troubles.find(({ name }) => name === what);
  assert.ok(boundary && trouble, `${what}, ${where}`);
  test(`${what} when ${where}`, { skip, timeout: 300_000 }, async (t) => {
    const to = nextMode(await modeOf(stage), index);
    const report = await runCase(stage, { boundary, trouble, to });
    const { from, end, mode, sent, lost, tookMs, reason } = report;
    t.diagnostic(
      `${from} to ${to}: ${end}, ${mode} everywhere; ${lost} of ${sent} lost in ${Math.round(tookMs / 1000)} s. ${reason}`,
    );
  });
}

test("nobody confirms, and whoever drove is dead: the old mode is back in time, and nothing is lost", {
  skip,
  timeout: 300_000,
}, async (t) => {
  const from = await modeOf(stage);
  const to = nextMode(from, 2);
  const until = async (name: string, reached: (status: ModeChangeStatus) => boolean) => {
    for (;;) {
      const change: ModeChange = await stage.store.get("ModeChange", name);
      if (change.status && reached(change.status)) return { change, status: change.status };
      await sleep(clock, 20);
    }
  };
  let lateMs = Number.NaN;
  const report = await stage.underTraffic(async () => {
    const spec = {
      pool: "default-ipv4-ippool",
      to,
      canary: 0,
      wave: "100%",
      confirmWithinSeconds: 5,
      skipProof: { reason: "what is tested comes after it" },
    } as const;
    const { metadata } = await requestChange(stage.store, { spec, clock, random: Math.random });
    const { change } = await until(metadata.name, ({ phase }) => phase === "AwaitingConfirm");
    assert.equal(
      await modeOf(stage),
      from,
      "the pool is not written before the change is confirmed",
    );
    const dead = driverNode(change);
    await killAgent(stage.lab, dead);
    const { status } = await until(metadata.name, ({ phase }) => phase === "RollingBack");
    lateMs = Date.parse(status.phaseSince) - Date.parse(status.confirmBy ?? "");
    await startAgent(stage.lab, dead);
    await until(metadata.name, ({ phase }) => phase === "RolledBack");
    await stage.settled();
    await stage.narrowed();
  });
  assert.deepEqual(losses(report), nothingLost);
  assert.equal(await modeOf(stage), from);
  await everyNodeIs(stage, from);
  // The lease of the dead has to be lost first, and a heavily loaded machine is slow.
  assert.ok(lateMs >= 0 && lateMs < 30_000, `went back ${lateMs} ms after it was due`);
  t.diagnostic(`${to} went back to ${from} ${lateMs} ms after it was due`);
});
