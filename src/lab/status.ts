/** What a lab is doing right now: asks every process, and lists all that is wrong. */

import { existsSync } from "node:fs";
import { openApiClient } from "../datastore/index.ts";
import { errorText } from "../lib/index.ts";
import { modeName } from "../model/index.ts";
import { describeFault } from "./fault/describe.ts";
import { type LabState, loadLab } from "./lab-state.ts";
import { parseMode } from "./modes.ts";
import { labPaths } from "./paths.ts";
import { agentProblems, askAgent, askRouter, routerProblems } from "./readiness.ts";
import { type LabRecord, readRecord } from "./state-file.ts";
import { layout, topologyOf } from "./topology.ts";

export interface LabStatus {
  readonly healthy: boolean;
  /** One line per thing that is wrong. */
  readonly problems: readonly string[];
  /** The pool's mode now. */
  readonly mode: string | undefined;
  readonly server: { readonly pid: number | undefined; readonly socketPath: string };
  readonly router: {
    readonly pid: number | undefined;
    readonly addresses: readonly string[];
    readonly sessions: readonly {
      readonly peer: string;
      readonly state: string;
      readonly routes: number;
    }[];
    /** Prefix to next hop. */
    readonly routes: Readonly<Record<string, string>>;
  };
  readonly outside: { readonly address: string };
  /** Of the fabric: wanted by somebody, so not wrong by themselves. */
  readonly faults: readonly { readonly id: number; readonly text: string }[];
  readonly nodes: readonly LabNodeStatus[];
}

export interface LabNodeStatus {
  readonly name: string;
  readonly address: string;
  readonly subnet: string;
  readonly pid: number | undefined;
  /** What the node has realised; undefined when its agent does not answer. */
  readonly mode: string | undefined;
  readonly ipipBackend: string | undefined;
  readonly sessions: { readonly established: number; readonly total: number };
  readonly pods: readonly {
    readonly name: string;
    readonly address: string;
    readonly address6?: string;
  }[];
}

/** undefined when there is no lab of this name. */
export async function labStatus(
  options: { readonly name?: string } = {},
): Promise<LabStatus | undefined> {
  const state = await loadLab(options);
  if (state === undefined) return undefined;
  const record = readRecord(labPaths(state.name).stateFile);
  const problems = missingMembers(state, record);
  const mode = await poolMode(state, problems);
  const router = await routerStatus(state, problems);
  const nodes = await Promise.all(state.nodes.map((node) => nodeStatus(state, node, problems)));
  return {
    healthy: problems.length === 0,
    problems,
    mode,
    server: { pid: state.server.pid, socketPath: state.socketPath },
    router,
    outside: { address: state.outside.address },
    faults: (record?.faults ?? []).map(({ id, spec }) => ({ id, text: describeFault(spec) })),
    nodes,
  };
}

function missingMembers(state: LabState, record: LabRecord | undefined): string[] {
  const problems: string[] = [];
  const members = [
    ...state.nodes,
    ...state.pods,
    { name: "router", ...state.router },
    { name: "outside", ...state.outside },
  ];
  for (const { name, namespace } of members) {
    if (!existsSync(namespace)) problems.push(`${name}: its namespace ${namespace} is gone`);
  }
  const wanted = record === undefined ? [] : topologyOf(record).pods;
  for (const { name, node } of wanted) {
    if (state.pods.some((pod) => pod.name === name)) continue;
    problems.push(`${name}: not attached to ${node} yet`);
  }
  return problems;
}

async function poolMode(state: LabState, problems: string[]): Promise<string | undefined> {
  if (state.server.pid === undefined) {
    problems.push(`the API server does not run; its log is ${state.server.logFile}`);
    return undefined;
  }
  const store = openApiClient({ socketPath: state.socketPath });
  try {
    return modeName((await store.get("IPPool", layout.poolName)).spec);
  } catch (error) {
    problems.push(`pool ${layout.poolName}: ${errorText(error)}`);
    return undefined;
  } finally {
    await store.close();
  }
}

async function routerStatus(state: LabState, problems: string[]): Promise<LabStatus["router"]> {
  const { pid, addresses, socketPath, logFile } = state.router;
  if (pid === undefined) {
    problems.push(`the router does not run; its log is ${logFile}`);
    return { pid, addresses, sessions: [], routes: {} };
  }
  try {
    const answer = await askRouter(socketPath);
    problems.push(...routerProblems(answer));
    const sessions = answer.sessions.map(({ peer, state, routes }) => ({ peer, state, routes }));
    return { pid, addresses, sessions, routes: answer.routes };
  } catch (error) {
    problems.push(`router: ${errorText(error)}`);
    return { pid, addresses, sessions: [], routes: {} };
  }
}

async function nodeStatus(
  state: LabState,
  node: LabState["nodes"][number],
  problems: string[],
): Promise<LabNodeStatus> {
  const { name, address, subnet, pid } = node;
  const pods = state.pods
    .filter((pod) => pod.node === name)
    .map(({ name, address, address6 }) => ({
      name,
      address,
      ...(address6 !== undefined && { address6 }),
    }));
  const silent = {
    ...{ name, address, subnet, pid, pods },
    mode: undefined,
    ipipBackend: undefined,
    sessions: { established: 0, total: 0 },
  };
  if (pid === undefined) {
    problems.push(`${name}: its agent does not run; its log is ${node.logFile}`);
    return silent;
  }
  try {
    const answer = await askAgent(node.agentSocket);
    problems.push(...agentProblems(answer));
    const pool = answer.pools[layout.poolName];
    return {
      ...silent,
      mode: pool && `${parseMode(pool.mode)}${pool.realised ? "" : " (not yet)"}`,
      ipipBackend: answer.ipipBackend,
      sessions: {
        established: answer.peers.filter(({ up }) => up).length,
        total: answer.peers.length,
      },
    };
  } catch (error) {
    problems.push(`${name}: ${errorText(error)}`);
    return silent;
  }
}
