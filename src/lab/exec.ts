/** Runs a command inside a member of the lab, in place of this process. */

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { SwitchyardError } from "../lib/index.ts";
import type { LabState } from "./lab-state.ts";
import { launcher } from "./launcher.ts";
import { findProgram } from "./prerequisites.ts";
import { systemPath } from "./processes.ts";

export interface Invocation {
  /** Absolute path. */
  readonly file: string;
  /** Arguments, the program's own name first. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Path of the namespace of `node1`, `pod1a`, `router` or `outside`. @throws INVALID_ARGUMENT. */
export function namespaceOfMember(state: LabState, member: string): string {
  const fixed = { router: state.router.namespace, outside: state.outside.namespace };
  const found =
    state.nodes.find(({ name }) => name === member)?.namespace ??
    state.pods.find(({ name }) => name === member)?.namespace ??
    (Object.hasOwn(fixed, member) ? fixed[member as keyof typeof fixed] : undefined);
  if (found !== undefined) return found;
  const known = [...state.nodes, ...state.pods].map(({ name }) => name);
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `the lab has no ${JSON.stringify(member)}; it has ${[...known, "router", "outside"].join(", ")}`,
  );
}

/** Node.js ignores these two, and what is ignored stays so through exec: `yes | head -1` would complain. */
const defaultSignals = ["env", "--default-signal=PIPE,XFSZ"];

/** `nsenter` rather than `ip netns exec`: the command sees the machine's own /sys and mounts. */
export function invocationOf(
  state: LabState,
  options: { readonly member: string; readonly command: readonly string[] },
): Invocation {
  const { member, command } = options;
  const namespace = namespaceOfMember(state, member);
  if (!existsSync(namespace)) {
    throw new SwitchyardError("LAB_FAILED", `${member} has lost its namespace ${namespace}`);
  }
  const node = state.nodes.find(({ name }) => name === member);
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) environment[name] = value;
  }
  delete environment.SWITCHYARD_NODE;
  delete environment.SWITCHYARD_STATE_DIR;
  return {
    file: findProgram("nsenter") ?? "/usr/bin/nsenter",
    args: ["nsenter", `--net=${namespace}`, "--", ...defaultSignals, ...command],
    environment: {
      ...environment,
      PATH: `${dirname(launcher)}:${systemPath()}`,
      SWITCHYARD_SOCKET: state.socketPath,
      ...(node && { SWITCHYARD_NODE: node.name, SWITCHYARD_STATE_DIR: node.stateDirectory }),
    },
  };
}

/** Replaces this process: terminal, signals and exit code are the command's own. Does not return. */
export function runInvocation(invocation: Invocation): never {
  process.execve!(invocation.file, [...invocation.args], { ...invocation.environment });
  throw new SwitchyardError("LAB_FAILED", `exec of ${invocation.file} came back`);
}
