/** Ends and starts the agent of one node: what scenarios do to a node. */

import { SwitchyardError, systemClock } from "../lib/index.ts";
import { ensureProcess, ensureReady } from "./ensure-process.ts";
import { exclusively } from "./exclusive.ts";
import { type LabState, processNames } from "./lab-state.ts";
import { type LabPaths, labPaths } from "./paths.ts";
import { identifyProcess, isAlive, signalProcess } from "./process-identity.ts";
import { waitForEnd } from "./processes.ts";
import { agentProcess } from "./programs.ts";
import { askAgent } from "./readiness.ts";
import { RecordHolder } from "./record-holder.ts";

/** How long an agent may take to end after SIGTERM, or to be ready after its start. */
const limitMs = 15_000;

/** Sends the signal and returns when the agent is gone. @throws LAB_FAILED when it does not run or stays. */
export async function killAgent(
  state: LabState,
  node: string,
  signal: NodeJS.Signals = "SIGKILL",
): Promise<void> {
  await changing(state, `lab kill ${node}`, async (holder) => {
    nodeOf(state, node);
    const identity = holder.record.processes[processNames.agent(node)];
    if (identity === undefined || !signalProcess(identity, signal)) {
      throw new SwitchyardError("LAB_FAILED", `the agent of ${node} does not run`);
    }
    if (signal !== "SIGKILL" && signal !== "SIGTERM" && signal !== "SIGINT") return;
    const processes = [identity];
    const left = await waitForEnd({ processes, clock: systemClock, timeoutMs: limitMs });
    if (left.length === 0) return;
    throw new SwitchyardError("LAB_FAILED", `the agent of ${node} ignores ${signal}`);
  });
}

/** Starts the agent unless it runs; returns its pid when it answers that it is ready. */
export async function startAgent(state: LabState, node: string): Promise<number> {
  return await changing(state, `lab start ${node}`, async (holder, paths) => {
    const { agentSocket } = nodeOf(state, node);
    const { pid } = await ensureReady(
      await ensureProcess(agentProcess({ paths, node, record: holder.record }), holder),
      holder,
      {
        what: `the agent of ${node}`,
        clock: systemClock,
        timeoutMs: limitMs,
        problems: async () => {
          const { ready, notReady } = await askAgent(agentSocket);
          return ready ? [] : [notReady];
        },
      },
    );
    return pid;
  });
}

/** kill -9 and start again. */
export async function restartAgent(state: LabState, node: string): Promise<number> {
  const pid = nodeOf(state, node).pid;
  const identity = pid === undefined ? undefined : identifyProcess(pid);
  if (identity !== undefined && isAlive(identity)) await killAgent(state, node);
  return await startAgent(state, node);
}

function nodeOf(state: LabState, name: string) {
  const node = state.nodes.find((candidate) => candidate.name === name);
  if (node !== undefined) return node;
  const known = state.nodes.map((candidate) => candidate.name).join(", ");
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `the lab has no node ${JSON.stringify(name)}; it has ${known}`,
  );
}

async function changing<T>(
  state: LabState,
  what: string,
  body: (holder: RecordHolder, paths: LabPaths) => Promise<T>,
): Promise<T> {
  const paths = labPaths(state.name);
  return await exclusively(paths, what, () => body(RecordHolder.reopen(paths.stateFile), paths));
}
