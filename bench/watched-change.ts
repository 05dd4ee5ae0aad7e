/**
 * One mode change of a lab through the whole machine (proof, canary, waves, verification, commit) under traffic
 * between pods, and all that can be said of it afterwards.
 */

import type { Datastore } from "../src/datastore/index.ts";
import { askAgent, type LabNodeState, type LabState, layout } from "../src/lab/index.ts";
import type { Traffic, WindowReport } from "../src/lab/probe/index.ts";
import { SwitchyardError, sleep, systemClock } from "../src/lib/index.ts";
import { requestChange } from "../src/mode/index.ts";
import type { Kind, ModeChange, ModeChangeSpec } from "../src/model/index.ts";
import { type PhaseTime, phaseTimes } from "./change-phases.ts";
import { type ProbeTraffic, probeTraffic } from "./probe-traffic.ts";
import { type ProcessUsage, processUsage } from "./process-usage.ts";

export interface WatchedChange {
  readonly ended: ModeChange;
  readonly totalMs: number;
  readonly phases: readonly PhaseTime[];
  /** What pods saw. */
  readonly seen: WindowReport;
  readonly probes: ProbeTraffic;
  /** Of the whole store: every write of anybody is one revision. */
  readonly writes: number;
  /** Those of the kinds that a change has to do with. */
  readonly writesByKind: ReadonlyMap<Kind, number>;
  /** What the agents took for it; their peak is since they began. */
  readonly agents: readonly ProcessUsage[];
  readonly server: ProcessUsage;
  /** Longest that an agent took to say how it is, of one question in half a second. */
  readonly slowestAnswerMs: number;
}

export interface WatchedChangeOptions {
  readonly lab: LabState;
  readonly store: Datastore;
  readonly traffic: Traffic;
  readonly spec: ModeChangeSpec;
}

const LIMIT_MS = 30 * 60_000;
const ASK_EVERY_MS = 500;
const watchedKinds: readonly Kind[] = [
  ...(["ModeChange", "ModeEvidence", "NodeMode", "NodeHost", "Lease"] as const),
  ...(["IPPool", "IPAMBlock", "IPAMHandle", "BlockAffinity", "Node"] as const),
];

/** @throws LAB_FAILED when it does not end. */
export async function watchChange(options: WatchedChangeOptions): Promise<WatchedChange> {
  const { lab, store, traffic, spec } = options;
  const before = await revision(store);
  const usage = () => lab.nodes.map(({ pid }) => processUsage(pid ?? 0));
  const serverUsage = () => processUsage(lab.server.pid ?? 0);
  const [agentsBefore, serverBefore] = [usage(), serverUsage()];
  await traffic.beginWindow();
  const { metadata } = await requestChange(store, {
    spec: { pool: layout.poolName, ...spec },
    clock: systemClock,
    random: Math.random,
  });
  const { ended, slowestAnswerMs } = await untilEnd(options, metadata.name);
  const agents = usage().map((now, index) => since(now, agentsBefore[index]));
  const server = since(serverUsage(), serverBefore);
  const after = await revision(store);
  const seen = await traffic.endWindow();
  const writesByKind = new Map<Kind, number>();
  for (const kind of watchedKinds) {
    writesByKind.set(kind, await writesOf(store, kind, { before, after }));
  }
  const evidence = (await store.list("ModeEvidence")).items;
  const history = ended.status?.history ?? [];
  return {
    ...{ ended, seen, writesByKind, agents, server, slowestAnswerMs },
    writes: Number(after) - Number(before),
    totalMs: Date.parse(history.at(-1)?.at ?? "") - Date.parse(history[0]?.at ?? ""),
    phases: phaseTimes(history),
    probes: probeTraffic(evidence.filter((one) => one.spec.change === metadata.name)),
  };
}

/** What is no figure. */
export function tellChange(change: WatchedChange, progress: (line: string) => void): void {
  const { ended, probes, seen, writesByKind } = change;
  for (const { at, phase, message } of ended.status?.history ?? []) {
    progress(`${at} ${phase}: ${message}`);
  }
  for (const line of ended.status?.attention ?? []) progress(`attention: ${line}`);
  for (const line of probes.breaches) progress(`breach: ${line}`);
  for (const { from, to, lost } of seen.troubled.filter((pair) => pair.lost > 0)) {
    progress(`${from} -> ${to}: ${lost} lost`);
  }
  const { longestStallMs = 0, resets = 0, retransmits = 0 } = seen.stream ?? {};
  progress(
    `pods: ${seen.total.lost} of ${seen.total.sent} lost; TCP: ${resets} resets, ${retransmits} segments again, ${Math.round(longestStallMs)} ms longest stall`,
  );
  const kinds = [...writesByKind].filter(([, count]) => count > 0);
  progress(`writes: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
}

async function untilEnd({ lab, store }: WatchedChangeOptions, name: string) {
  const startedMs = systemClock.monotonicMs();
  let slowestAnswerMs = 0;
  for (let turn = 0; ; turn++) {
    slowestAnswerMs = Math.max(slowestAnswerMs, await answerMs(lab.nodes[turn % lab.nodes.length]));
    const ended = await store.get("ModeChange", name);
    const { phase = "Planning", history = [] } = ended.status ?? {};
    if (phase === "Done" || phase === "Refused" || phase === "RolledBack") {
      return { ended, slowestAnswerMs };
    }
    if (systemClock.monotonicMs() - startedMs > LIMIT_MS) {
      const last = history.at(-1)?.message;
      throw new SwitchyardError("LAB_FAILED", `${name} does not end; the last of it: ${last}`);
    }
    await sleep(systemClock, ASK_EVERY_MS);
  }
}

/** None within two seconds is an answer, too. */
async function answerMs(node: LabNodeState | undefined): Promise<number> {
  const askedMs = systemClock.monotonicMs();
  if (node) await askAgent(node.agentSocket).catch(() => undefined);
  return systemClock.monotonicMs() - askedMs;
}

/** Every write of the datastore, of whatever kind, raises it by one. */
async function revision(store: Datastore): Promise<string> {
  return (await store.list("IPPool")).resourceVersion;
}

/** Read again from the log of the store, in which every write is one event. */
async function writesOf(
  store: Datastore,
  kind: Kind,
  { before, after }: { readonly before: string; readonly after: string },
): Promise<number> {
  const enough = new AbortController();
  let count = 0;
  const watch = store.watch(kind, { resourceVersion: before, signal: enough.signal });
  for await (const event of watch) {
    const isBookmark = event.type === "bookmark";
    const at = isBookmark ? event.resourceVersion : event.resource.metadata.resourceVersion;
    if (!isBookmark && Number(at) <= Number(after)) count++;
    if (Number(at) >= Number(after)) break;
  }
  enough.abort();
  return count;
}

function since(now: ProcessUsage, before: ProcessUsage | undefined): ProcessUsage {
  return {
    cpuSeconds: now.cpuSeconds - (before?.cpuSeconds ?? 0),
    waitedSeconds: now.waitedSeconds - (before?.waitedSeconds ?? 0),
    residentBytes: now.residentBytes,
    peakBytes: now.peakBytes,
  };
}
