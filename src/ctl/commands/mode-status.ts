/** `mode status`: where the whole cluster stands with its pools' modes. */

import { modeStatus } from "../../mode/index.ts";
import { refuseArguments } from "../cobra.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { renderModeStatus } from "../output/mode-status.ts";

export interface ModeStatusOptions extends ConnectionOptions {
  readonly output: string;
}

const NOT_SETTLED = 1;

export async function modeStatusCommand(
  args: readonly string[],
  options: ModeStatusOptions,
  context: CtlContext,
): Promise<void> {
  refuseArguments(args, "mode status");
  const { output } = options;
  if (output !== "text" && output !== "json")
    throw failure(`unrecognized output format '${output}'`);
  const status = await withDatastore({ options, context }, async (store) => {
    const [nodes, pools, nodeModes, changes, affinities] = await Promise.all([
      store.list("Node"),
      store.list("IPPool"),
      store.list("NodeMode"),
      store.list("ModeChange"),
      store.list("BlockAffinity"),
    ]);
    return modeStatus({
      nodes: nodes.items,
      pools: pools.items,
      nodeModes: nodeModes.items,
      changes: changes.items,
      affinities: affinities.items,
    });
  });
  context.stdout(
    output === "json"
      ? `${JSON.stringify(status, null, 2)}\n`
      : renderModeStatus(status, context.clock.now()),
  );
  if (!status.settled) context.answer?.(NOT_SETTLED);
}
