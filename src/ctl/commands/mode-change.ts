/** `mode change` and `mode prove`: ask for a change of a pool's mode, or of the mesh, and look on while agents carry it out. */

import type { ModeChangeSpec } from "../../model/index.ts";
import { conclude } from "../change/conclude.ts";
import { follow } from "../change/follow.ts";
import { type ChangeFlags, changeSpec, requireTextOrJson } from "../change/options.ts";
import { askForChange } from "../change/request.ts";
import { changeWithoutAgents } from "../change/without-agents.ts";
import { withDatastore } from "../connect.ts";
import type { CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";

export async function modeChangeCommand(
  args: readonly string[],
  options: ChangeFlags,
  context: CtlContext,
): Promise<void> {
  await carryOut(changeSpec(args[0], options, context.env), options, context);
}

export async function modeProveCommand(
  args: readonly string[],
  options: ChangeFlags,
  context: CtlContext,
): Promise<void> {
  const spec = changeSpec(args[0], options, context.env);
  if (spec.mesh !== undefined) {
    throw failure(
      `of the mesh there is nothing to prove by packets: \`mode plan --mesh ${spec.mesh}\` says what stands in its way`,
    );
  }
  await carryOut({ ...spec, proveOnly: true }, options, context);
}

async function carryOut(
  spec: ModeChangeSpec,
  options: ChangeFlags,
  context: CtlContext,
): Promise<void> {
  const output = requireTextOrJson(options.output);
  await withDatastore({ options, context }, async (store) => {
    const asked = await askForChange(store, { spec, clock: context.clock });
    if (!asked) return await changeWithoutAgents({ store, spec, context, output });
    const id = asked.metadata.name;
    const followed = await follow({
      store,
      context,
      id,
      untilTheEnd: options.watch ?? false,
      document: output === "json",
    });
    conclude({ followed, id, context, output });
  });
}
