/**
 * Brings a lab up, or back up: what is there and healthy stays, what is missing is made, a process that
 * died is started again. Ends when every node has realised the pool's mode and every pod is reached.
 */

import { writeFileSync } from "node:fs";
import { type Datastore, openApiClient } from "../datastore/index.ts";
import { type Clock, hasCode, SwitchyardError, systemClock } from "../lib/index.ts";
import { type ModeName, modeName } from "../model/index.ts";
import { type EnsuredProcess, ensureProcess, ensureReady } from "./ensure-process.ts";
import { exclusively } from "./exclusive.ts";
import { describeFault } from "./fault/describe.ts";
import type { FaultRecord } from "./fault/spec.ts";
import { agentSocket, type LabState, labStateOf } from "./lab-state.ts";
import { parseMode } from "./modes.ts";
import { buildNetwork } from "./network.ts";
import { type LabPaths, labPaths } from "./paths.ts";
import { parsePodMtu } from "./pod-mtu.ts";
import { ensurePods } from "./pods.ts";
import { checkPrerequisites } from "./prerequisites.ts";
import { agentProcess, routerProcess, serverProcess } from "./programs.ts";
import { checkReach } from "./reach-check.ts";
import {
  agentProblems,
  askAgent,
  askRouter,
  routerProblems,
  type WaitOptions,
} from "./readiness.ts";
import { RecordHolder } from "./record-holder.ts";
import { labResources } from "./resources.ts";
import { routerConfigOf } from "./router/config.ts";
import { parseRpFilter } from "./rp-filter.ts";
import { labCommand } from "./suggestions.ts";
import { defaultSize, layout, type Topology, topologyOf } from "./topology.ts";
import { ask } from "./unix-http.ts";

export interface LabUpOptions {
  /** `sy` unless told; several labs may run beside each other. */
  readonly name?: string;
  /** 4 unless told. */
  readonly nodes?: number;
  /** 2 unless told. */
  readonly podsPerNode?: number;
  /** IPv6 beside IPv4 for subnets, pools and pods; not unless told. */
  readonly dualStack?: boolean;
  /** Of the pool, as parseMode reads it; `ipip` unless told. */
  readonly mode?: string;
  /** What agents do about the MTU of running pods: `fixed` unless told, or `live`. */
  readonly podMtu?: string;
  /** How long agents still receive what nobody sends any more, as `agent --drain` takes it; 5s unless told. */
  readonly drain?: string;
  /** Reverse-path filter of the nodes: `strict`, `loose` or `off`; the machine's default unless told. */
  readonly rpFilter?: string;
  /** For each phase that may take time; 60,000 unless told. */
  readonly timeoutMs?: number;
  /** Told what is done, a line at a time. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const defaultMode: ModeName = "ipip";

interface Run {
  readonly options: LabUpOptions;
  readonly paths: LabPaths;
  readonly topology: Topology;
  readonly holder: RecordHolder;
  readonly clock: Clock;
}

/** @throws PREREQUISITE_MISSING, INVALID_ARGUMENT, LAB_FAILED. */
export async function labUp(options: LabUpOptions = {}): Promise<LabState> {
  // Bad sizes are said before anything else, root or not.
  topologyOf(options);
  if (options.mode !== undefined) parseMode(options.mode);
  if (options.podMtu !== undefined) parsePodMtu(options.podMtu);
  if (options.rpFilter !== undefined) parseRpFilter(options.rpFilter);
  checkPrerequisites();
  const paths = labPaths(options.name);
  return await exclusively(paths, "lab up", async () => {
    const holder = openRecord(paths, options);
    const topology = topologyOf(holder.record);
    try {
      await bringUp({ options, paths, topology, holder, clock: systemClock });
    } catch (error) {
      throw withFaults(error, labStateOf(paths, holder.record), holder.faults);
    }
    return labStateOf(paths, holder.record);
  });
}

function openRecord(paths: LabPaths, options: LabUpOptions): RecordHolder {
  const holder = RecordHolder.open(paths.stateFile, () => ({
    version: 1,
    nodes: options.nodes ?? defaultSize.nodes,
    podsPerNode: options.podsPerNode ?? defaultSize.podsPerNode,
    ...(options.dualStack && { dualStack: true as const }),
    mode: options.mode === undefined ? defaultMode : parseMode(options.mode),
    ...(options.podMtu !== undefined && { podMtu: parsePodMtu(options.podMtu) }),
    ...(options.drain !== undefined && { drain: options.drain }),
    ...(options.rpFilter !== undefined && { rpFilter: parseRpFilter(options.rpFilter) }),
    processes: {},
    pods: {},
  }));
  const { record } = holder;
  for (const size of [
    "nodes",
    "podsPerNode",
    "dualStack",
    "podMtu",
    "drain",
    "rpFilter",
  ] as const) {
    if (options[size] === undefined || options[size] === record[size]) continue;
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      `the lab is there with ${size}=${record[size] ?? "default"}, not ${options[size]}: \`lab down\` first`,
    );
  }
  return holder;
}

async function bringUp(run: Run): Promise<void> {
  const { options, paths, topology, holder } = run;
  const say = options.onProgress ?? (() => {});
  let startMs = run.clock.monotonicMs();
  const done = (what: string) => {
    const nowMs = run.clock.monotonicMs();
    say(`${what} (${Math.round(nowMs - startMs)} ms)`);
    startMs = nowMs;
  };
  await buildNetwork({ paths, topology, rpFilter: holder.record.rpFilter });
  done(`network: ${topology.nodes.length} nodes, ${topology.pods.length} pods, router, outside`);
  const store = await startServer(run);
  try {
    await createResources(run, store);
    done("API server and resources");
    const agents = await startSpeakers(run);
    done("router and agents");
    await ensurePods({ paths, topology, holder, store, clock: run.clock });
    done("pods attached");
    await waitForAll(run, agents);
    done("sessions up, mode realised");
  } finally {
    await store.close();
  }
  await checkReach(labStateOf(paths, holder.record), run.clock);
  done("every pod is reached, from outside and from the other nodes");
}

async function startServer(run: Run): Promise<Datastore> {
  const { paths, holder } = run;
  await waitFor(run, await ensureProcess(serverProcess(paths), holder), {
    what: "the API server",
    problems: async () => {
      await ask({ socketPath: paths.apiSocket, path: "/readyz" });
      return [];
    },
  });
  return openApiClient({ socketPath: paths.apiSocket });
}

/** What is there stays as the operator left it; a mode that was asked for and is not the pool's is said. */
async function createResources(run: Run, store: Datastore): Promise<void> {
  for (const resource of labResources(run.topology, run.holder.record.mode)) {
    try {
      await store.create(resource);
    } catch (error) {
      if (!hasCode(error, "RESOURCE_ALREADY_EXISTS")) throw error;
    }
  }
  const { mode } = run.options;
  if (mode === undefined) return;
  const pool = await store.get("IPPool", layout.poolName);
  const held = modeName(pool.spec);
  if (held === parseMode(mode)) return;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `the lab is there in mode ${held}, not ${parseMode(mode)}: change it with \`switchyard patch ippool ${layout.poolName}\`, or \`lab down\` first`,
  );
}

/** A lab whose fabric is faulty may well not come up: that is said beside what failed. */
function withFaults(error: unknown, state: LabState, faults: readonly FaultRecord[]): unknown {
  if (!hasCode(error, "LAB_FAILED") || faults.length === 0) return error;
  const list = faults.map(({ id, spec }) => `${id}: ${describeFault(spec)}`).join(", ");
  const remedy = `\`${labCommand(state)} fault remove --all\` takes them away`;
  const message = `${error.message}\n  the lab has faults (${list}): ${remedy}`;
  return new SwitchyardError("LAB_FAILED", message, { cause: error });
}

interface Started {
  readonly router: EnsuredProcess;
  readonly agents: ReadonlyMap<string, EnsuredProcess>;
}

async function startSpeakers(run: Run): Promise<Started> {
  const { paths, topology, holder } = run;
  const config = routerConfigOf(topology, paths.routerSocket);
  writeFileSync(paths.routerConfig, `${JSON.stringify(config, undefined, 2)}\n`);
  const router = await ensureProcess(routerProcess(paths), holder);
  const agents = new Map<string, EnsuredProcess>();
  for (const { name } of topology.nodes) {
    agents.set(
      name,
      await ensureProcess(agentProcess({ paths, node: name, record: holder.record }), holder),
    );
  }
  return { router, agents };
}

/** All at once: one that must be started anew keeps the others from being ready. */
async function waitForAll(run: Run, { router, agents }: Started): Promise<void> {
  const { paths, options } = run;
  const stop = new AbortController();
  const signals = [stop.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const stoppable = { ...run, options: { ...options, signal: AbortSignal.any(signals) } };
  const waits = [
    waitFor(stoppable, router, {
      what: "the router",
      problems: async () => routerProblems(await askRouter(paths.routerSocket)),
    }),
    ...[...agents].map(([node, agent]) =>
      waitFor(stoppable, agent, {
        what: `the agent of ${node}`,
        problems: async () => agentProblems(await askAgent(agentSocket(paths, node))),
      }),
    ),
  ];
  try {
    await Promise.all(waits);
  } finally {
    stop.abort();
  }
}

async function waitFor(
  run: Run,
  process: EnsuredProcess,
  wait: Pick<WaitOptions, "what" | "problems">,
): Promise<void> {
  const { clock, options, holder } = run;
  const timeoutMs = options.timeoutMs ?? 60_000;
  await ensureReady(process, holder, { ...wait, clock, timeoutMs, signal: options.signal });
}
