/** `mode plan`: what a change of a pool's mode, or of the mesh, would do to every node, and what would go wrong. Changes nothing. */

import { findTraps, previewChange, previewMesh, readCluster } from "../../mode/index.ts";
import { type ChangeFlags, changeSpec, requireTextOrJson } from "../change/options.ts";
import { withDatastore } from "../connect.ts";
import type { CtlContext } from "../context.ts";
import { exitStatuses } from "../output/change/outcome.ts";
import { renderMeshPlan } from "../output/mesh-plan.ts";
import { renderModePlan } from "../output/mode-plan.ts";

/** As `mode change` ends when it is refused. */
const REFUSED = exitStatuses.refused;

export async function modePlanCommand(
  args: readonly string[],
  options: ChangeFlags,
  context: CtlContext,
): Promise<void> {
  const output = requireTextOrJson(options.output);
  const spec = changeSpec(args[0], options, context.env);
  const input = await withDatastore({ options, context }, (store) => readCluster(store));
  const traps = findTraps({ ...input, spec });
  const refused = traps.some(
    ({ code, severity }) => severity === "refuse" && !spec.accepted?.includes(code),
  );
  const print = <D extends object>(document: D, render: (document: D) => string) =>
    context.stdout(output === "json" ? `${JSON.stringify(document, null, 2)}\n` : render(document));
  const found = { spec, refused, traps };
  if (spec.mesh === undefined) {
    print({ ...found, preview: previewChange({ ...input, spec }) }, renderModePlan);
  } else {
    print({ ...found, preview: previewMesh({ ...input, spec }) }, renderMeshPlan);
  }
  if (refused) context.answer?.(REFUSED);
}
