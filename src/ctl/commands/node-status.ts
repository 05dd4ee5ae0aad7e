/** `node status`: what the agent of this node says about itself. */

import { SwitchyardError } from "../../lib/index.ts";
import { askAgent, findAgentSocket } from "../agent-socket.ts";
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
  const status = await askAgent(findAgentSocket(options.node, context.env));
  context.stdout(
    options.output === "json"
      ? `${JSON.stringify(status, null, 2)}\n`
      : renderNodeStatus(status, context.clock.now()),
  );
}
