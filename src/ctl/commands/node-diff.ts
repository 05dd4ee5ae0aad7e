/** `node diff`: what the plan says against what the kernel of this node holds. */

import { errorText, SwitchyardError } from "../../lib/index.ts";
import { askAgentDiff, findAgentSocket } from "../agent-socket.ts";
import { refuseArguments } from "../cobra.ts";
import type { CtlContext, GlobalOptions } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { renderNodeDiff } from "../output/node-diff.ts";

export interface NodeDiffOptions extends GlobalOptions {
  readonly node?: string;
  readonly output: string;
}

const DIFFERENT = 1;
/** As diff(1): trouble is neither "same" nor "different". */
const TROUBLE = 2;

export async function nodeDiff(
  args: readonly string[],
  options: NodeDiffOptions,
  context: CtlContext,
): Promise<void> {
  try {
    refuseArguments(args, "diff");
    if (options.output !== "text" && options.output !== "json") {
      throw failure(`unrecognized output format '${options.output}'`);
    }
    const diff = await askAgentDiff(findAgentSocket(options.node, context.env));
    context.stdout(
      options.output === "json" ? `${JSON.stringify(diff, null, 2)}\n` : renderNodeDiff(diff),
    );
    if (!diff.equal) context.answer?.(DIFFERENT);
  } catch (error) {
    const code = error instanceof SwitchyardError ? error.code : "COMMAND_FAILED";
    const details = { exitStatus: TROUBLE };
    throw new SwitchyardError(code, errorText(error), { cause: error, details });
  }
}
