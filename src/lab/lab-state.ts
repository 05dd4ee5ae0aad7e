/** A lab that exists, as others use it: where everything is, from its record on disk. */

import { formatAddress } from "../lib/index.ts";
import { namespacePath } from "../lib/sys/index.ts";
import type { ModeName } from "../model/index.ts";
import { type LabPaths, labPaths, logFile, namespaceName, nodeDirectory } from "./paths.ts";
import { isAlive } from "./process-identity.ts";
import { type LabRecord, readRecord } from "./state-file.ts";
import { topologyOf } from "./topology.ts";

export interface LabNodeState {
  readonly name: string;
  /** Path of its network namespace. */
  readonly namespace: string;
  /** `172.139.20.75`. */
  readonly address: string;
  /** `2001:db8:20::75`, in a dual-stack lab. */
  readonly address6?: string;
  /** Name of the bridge its subnet is on: nodes with the same one are in one L2 subnet. */
  readonly subnet: string;
  /** Of its agent; undefined when that does not run. */
  readonly pid: number | undefined;
  readonly stateDirectory: string;
  readonly agentSocket: string;
  readonly logFile: string;
}

export interface LabPodState {
  readonly name: string;
  readonly node: string;
  readonly namespace: string;
  readonly address: string;
  readonly address6?: string;
  /** Host end of its veth, in the node's namespace. */
  readonly interfaceName: string;
}

export interface LabState {
  readonly name: string;
  readonly directory: string;
  /** Of the API server. */
  readonly socketPath: string;
  readonly server: { readonly pid: number | undefined; readonly logFile: string };
  readonly mode: ModeName;
  readonly nodes: readonly LabNodeState[];
  /** Those that have an address: all, once `lab up` has succeeded. */
  readonly pods: readonly LabPodState[];
  readonly router: {
    readonly namespace: string;
    readonly addresses: readonly string[];
    readonly pid: number | undefined;
    readonly socketPath: string;
    readonly logFile: string;
  };
  readonly outside: {
    readonly namespace: string;
    readonly address: string;
    readonly address6?: string;
  };
}

/** undefined when there is no lab of this name. */
export async function loadLab(
  options: { readonly name?: string } = {},
): Promise<LabState | undefined> {
  const paths = labPaths(options.name);
  const record = readRecord(paths.stateFile);
  return record === undefined ? undefined : labStateOf(paths, record);
}

export function labStateOf(paths: LabPaths, record: LabRecord): LabState {
  const topology = topologyOf(record);
  const namespace = (member: string) => namespacePath(namespaceName(paths, member));
  const pid = (process: string) => {
    const identity = record.processes[process];
    return identity !== undefined && isAlive(identity) ? identity.pid : undefined;
  };
  return {
    name: paths.name,
    directory: paths.directory,
    socketPath: paths.apiSocket,
    server: { pid: pid(processNames.server), logFile: logFile(paths, processNames.server) },
    mode: record.mode,
    nodes: topology.nodes.map((node) => ({
      name: node.name,
      namespace: namespace(node.name),
      address: formatAddress(node.address),
      ...(node.address6 !== undefined && { address6: formatAddress(node.address6) }),
      subnet: node.subnet.bridge,
      pid: pid(processNames.agent(node.name)),
      stateDirectory: nodeDirectory(paths, node.name),
      agentSocket: agentSocket(paths, node.name),
      logFile: logFile(paths, processNames.agent(node.name)),
    })),
    pods: topology.pods.flatMap((pod) => {
      const known = record.pods[pod.name];
      if (known === undefined) return [];
      const { address, address6, interfaceName } = known;
      const six = address6 === undefined ? {} : { address6 };
      return [{ ...pod, namespace: namespace(pod.name), address, ...six, interfaceName }];
    }),
    router: {
      namespace: namespace("router"),
      addresses: [...topology.subnets, topology.outside].map(({ router }) => formatAddress(router)),
      pid: pid(processNames.router),
      socketPath: paths.routerSocket,
      logFile: logFile(paths, processNames.router),
    },
    outside: {
      namespace: namespace("outside"),
      address: formatAddress(topology.outside.address),
      ...(topology.dualStack && { address6: formatAddress(topology.outside.address6) }),
    },
  };
}

/** Names of the lab's processes in its record, marks and log files. */
export const processNames = {
  server: "server",
  router: "router",
  agent: (node: string) => `agent-${node}`,
} as const;

export function agentSocket(paths: LabPaths, node: string): string {
  return `${nodeDirectory(paths, node)}/agent.sock`;
}
