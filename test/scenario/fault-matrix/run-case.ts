/**
 * One case of the matrix: a change runs under traffic, a trouble happens at a boundary, and the cluster must end
 * fully old or fully new, on every node, as the change's report says.
 */

import assert from "node:assert/strict";
import { askAgentDiff } from "../../../src/ctl/agent-socket.ts";
import { sleep } from "../../../src/lib/index.ts";
import { requestChange, sayWord } from "../../../src/mode/index.ts";
import {
  type ModeChange,
  type ModeName,
  modeFields,
  modeName,
  modeNames,
  poolMode,
} from "../../../src/model/index.ts";
import { clock, losses, type Stage } from "../stage.ts";
import { type Boundary, reachedBoundary } from "./boundaries.ts";
import type { Trouble } from "./troubles.ts";

export interface CaseReport {
  readonly from: ModeName;
  readonly to: ModeName;
  /** Phase in which it ended. */
  readonly end: string;
  readonly reason: string;
  /** The mode on every node, and of the pool, afterwards. */
  readonly mode: ModeName;
  readonly sent: number;
  readonly lost: number;
  readonly tookMs: number;
}

const pool = "default-ipv4-ippool";
const ended = new Set<string>(["Done", "Refused", "RolledBack"]);
const CASE_MS = 240_000;

/** @throws AssertionError when the promise is broken. */
export async function runCase(
  stage: Stage,
  {
    boundary,
    trouble,
    to,
  }: { readonly boundary: Boundary; readonly trouble: Trouble; readonly to: ModeName },
): Promise<CaseReport> {
  const from = await modeOf(stage);
  const startedMs = clock.monotonicMs();
  let last: ModeChange | undefined;
  let happened = false;
  const report = await stage.underTraffic(async () => {
    const spec = { pool, to, canary: 1, wave: "1", confirmWithinSeconds: 120 } as const;
    const { metadata } = await requestChange(stage.store, { spec, clock, random: Math.random });
    const { name } = metadata;
    for (;;) {
      last = await current(stage, name);
      if (!happened && reachedBoundary(last, boundary)) {
        happened = true;
        await trouble.happen(stage, last);
        continue;
      }
      const { phase } = last.status ?? {};
      if (phase !== undefined && ended.has(phase)) break;
      // A change that is to be troubled on its way back is sent back once all have moved.
      const word = boundary.back ? "rollback" : "confirm";
      if (phase === "AwaitingConfirm") {
        await sayWord(stage.store, { name, word, clock }).catch(() => undefined);
      }
      assert.ok(clock.monotonicMs() - startedMs < CASE_MS, `still ${phase} after ${CASE_MS} ms`);
      await sleep(clock, 20);
    }
    await othersEnded(stage);
    await stage.settled();
    await stage.narrowed();
  });
  assert.ok(happened, `the change never came where ${boundary.name}`);
  const mode = await modeOf(stage);
  const { lost, where, tcpResets } = losses(report);
  const unexplained = where.filter((pair) => !isolatedPair(pair, trouble.isolates));
  assert.deepEqual({ unexplained, tcpResets }, { unexplained: [], tcpResets: 0 });
  await everyNodeIs(stage, mode);
  const { phase: end = "", reason = "" } = last?.status ?? {};
  if (end !== "Done") assert.notEqual(reason, "", `${end} without a reason`);
  const { sent } = report.total;
  return { from, to, end, reason, mode, sent, lost, tookMs: clock.monotonicMs() - startedMs };
}

/** `pod4a -> pod1a: 3`: one of the two is a pod of the node that was cut off. */
function isolatedPair(text: string, node: string | undefined): boolean {
  return node !== undefined && text.includes(`pod${node.slice(-1)}`);
}

export async function modeOf(stage: Stage): Promise<ModeName> {
  return modeName((await stage.store.get("IPPool", pool)).spec);
}

/** As far as it can be read: the datastore may be what is in trouble. */
async function current(stage: Stage, name: string): Promise<ModeChange> {
  return await stage.store.get("ModeChange", name);
}

/** Whoever else asked for a change is waited for as well. */
async function othersEnded(stage: Stage): Promise<void> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    const { items } = await stage.store.list("ModeChange");
    const running = items.filter(({ status }) => !ended.has(status?.phase ?? ""));
    if (running.length === 0) return;
    const names = running.map(({ metadata, status }) => `${metadata.name} is ${status?.phase}`);
    assert.ok(clock.monotonicMs() - startedMs < CASE_MS, names.join(", "));
    await sleep(clock, 50);
  }
}

/** No node obeys orders any more, all say the pool's mode, and every kernel holds its plan. */
export async function everyNodeIs(stage: Stage, mode: ModeName): Promise<void> {
  const { items } = await stage.store.list("NodeMode");
  assert.equal(items.length, stage.nodeNames.length);
  for (const { metadata, status } of items) {
    const progress = status?.pools[pool];
    assert.equal(progress?.realised, true, `${metadata.name} has realised its pool`);
    assert.equal(
      progress?.mode,
      poolMode(modeFields(mode)),
      `${metadata.name} is where the pool is`,
    );
    assert.deepEqual(status?.changes ?? {}, {}, `${metadata.name} obeys nothing any more`);
  }
  for (const node of stage.lab.nodes) {
    const diff = await askAgentDiff(node.agentSocket);
    assert.deepEqual(diff.differences, [], `the kernel of ${node.name} holds its plan`);
  }
}

/** The modes in turn, so that each case changes something. */
export function nextMode(from: ModeName, turn: number): ModeName {
  const others = modeNames.filter((name) => name !== from);
  return others[turn % others.length]!;
}
