/** `agent`: the node's daemon, until a signal ends it. */

import { hostname } from "node:os";
import { runAgent } from "../../agent/index.ts";
import { SwitchyardError } from "../../lib/index.ts";
import { refuseArguments } from "../cobra.ts";
import { defaultSocketPath } from "../config.ts";
import type { CtlContext, GlobalOptions } from "../context.ts";
import { parseGoDurationMs } from "../go-duration.ts";
import { daemonLogLevel } from "../log-level.ts";
import { clientVersion } from "../version.ts";

export interface AgentOptions extends GlobalOptions {
  readonly node?: string;
  readonly socket?: string;
  readonly stateDir?: string;
  readonly secretsDir: string;
  readonly mtuFile: string;
  readonly podMtu: string;
  readonly drain: string;
}

/** As Calico names a node after its host. */
function hostNodeName(): string {
  return hostname().trim().toLowerCase();
}

function parsePodMtu(text: string): "live" | "fixed" {
  if (text === "live" || text === "fixed") return text;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `--pod-mtu is live or fixed, not ${JSON.stringify(text)}`,
  );
}

function parseDrain(text: string): number {
  const drainMs = parseGoDurationMs(text);
  if (drainMs !== undefined) return drainMs;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `--drain is a duration like 5s or 500ms, not ${JSON.stringify(text)}`,
  );
}

export async function agent(
  args: readonly string[],
  options: AgentOptions,
  context: CtlContext,
): Promise<void> {
  refuseArguments(args, "agent");
  const { env } = context;
  const node = options.node || env.SWITCHYARD_NODE || hostNodeName();
  await runAgent({
    node,
    socketPath: options.socket || env.SWITCHYARD_SOCKET || defaultSocketPath,
    stateDirectory: options.stateDir || `/run/switchyard/${node}`,
    secretsDirectory: options.secretsDir,
    mtuFile: options.mtuFile,
    podMtu: parsePodMtu(options.podMtu),
    drainMs: parseDrain(options.drain),
    logLevel: daemonLogLevel(options.logLevel),
    version: clientVersion(),
  });
}
