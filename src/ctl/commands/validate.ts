/** `validate`: holds files against the rules of the model, without a datastore. */

import { errorText } from "../../lib/index.ts";
import { type Kind, prepareForWrite, type ResourceOf } from "../../model/index.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { resolveNamespace } from "../crud/namespace.ts";
import { reportWrites } from "../crud/report.ts";
import { type CrudOptions, loadTargets } from "../crud/run.ts";
import { resourceOf } from "../crud/target.ts";

export type ValidateOptions = CrudOptions & ConnectionOptions;

export async function validate(
  args: readonly string[],
  options: ValidateOptions,
  context: CtlContext,
): Promise<void> {
  const targets = await loadTargets({ args, options }, context);
  if (targets === undefined) return;
  const results: unknown[] = [];
  const errors: unknown[] = [];
  for (const target of targets.targets) {
    try {
      resolveNamespace(target, options);
      const resource = resourceOf(target) as unknown as ResourceOf<Kind>;
      results.push(prepareForWrite({ resource, operation: "create" }));
    } catch (error) {
      errors.push(new Error(errorText(error), { cause: error }));
    }
  }
  const outcome = {
    singleKind: targets.singleKind,
    total: targets.targets.length,
    results,
    errors,
  };
  reportWrites(outcome, { infinitive: "validate", past: "validated" }, context);
}
