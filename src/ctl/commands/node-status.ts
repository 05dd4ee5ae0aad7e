/** `node status`: what the agent of this node says about itself. */

import { errorText, SwitchyardError } from "../../lib/index.ts";
import { agentSockets, askAgent } from "../agent-socket.ts";
import type { CtlContext, GlobalOptions } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { renderNodeStatus } from "../output/node-status.ts";

export interface NodeStatusOptions extends GlobalOptions {
  readonly node?: string;
  readonly output: string;
}

export async function nodeStatus(
  _args: readonly string[],
  options: NodeStatusOptions,
  context: CtlContext,
): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new SwitchyardError(
      "PREREQUISITE_MISSING",
      "Need super user privileges: Operation not permitted",
      { details: { stream: "stdout" } },
    );
  }
  if (options.output !== "ps" && options.output !== "json") {
    throw failure(`unrecognized output format '${options.output}'`);
  }
  const status = await askAgent(findSocket(options, context.env));
  context.stdout(
    options.output === "json"
      ? `${JSON.stringify(status, null, 2)}\n`
      : renderNodeStatus(status, context.clock.now()),
  );
}

/** The one agent meant: by flag, by the surroundings, or the only one there is. */
function findSocket(options: NodeStatusOptions, env: CtlContext["env"]): string {
  const directory = env.SWITCHYARD_STATE_DIR;
  if (options.node === undefined && directory) return `${directory}/agent.sock`;
  const node = options.node ?? env.SWITCHYARD_NODE;
  let sockets: readonly { readonly node: string; readonly path: string }[];
  try {
    sockets = agentSockets();
  } catch (error) {
    throw failure(`looking for agents in /run/switchyard: ${errorText(error)}`, error);
  }
  const candidates = node ? sockets.filter((socket) => socket.node === node) : sockets;
  const [only] = candidates;
  if (only === undefined) {
    const whose = node ? ` of node ${node}` : "";
    throw failure(
      `Calico process is not running.\nNo agent${whose} has a socket under /run/switchyard: start one with \`switchyard agent\`, or a lab with \`switchyard lab up\`.`,
    );
  }
  if (candidates.length > 1) {
    const names = candidates.map((socket) => socket.node).join(", ");
    throw failure(`several agents run on this machine: name one with --node (${names})`);
  }
  return only.path;
}
