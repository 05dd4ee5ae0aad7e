/** ModeChange: what is asked cannot be another thing later, and going back is not taken back. */

import { parsePrefix } from "../../lib/index.ts";
import type { FieldError } from "../errors.ts";
import { validationError } from "../errors.ts";
import type { ModeChangeSpec } from "../kinds/mode-change.ts";
import type { RuleSet } from "./rule-set.ts";

const fixed = [
  "pool",
  "to",
  "blocks",
  "mesh",
  "canary",
  "wave",
  "proveOnly",
  "skipProof",
  "seed",
] as const satisfies readonly (keyof ModeChangeSpec)[];

function taken(before: ModeChangeSpec, after: ModeChangeSpec): FieldError[] {
  const errors: FieldError[] = fixed
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({
      name: `ModeChange.Spec.${field}`,
      value: after[field] ?? "",
      reason: "cannot be changed once the change is asked for: roll it back and ask anew",
    }));
  for (const word of ["rollback", "confirmed"] as const) {
    if (!before[word] || after[word]) continue;
    const reason = "cannot be taken back once it is said";
    errors.push({ name: `ModeChange.Spec.${word}`, value: after[word] ?? "", reason });
  }
  return errors;
}

export const modeChangeRules: RuleSet<"ModeChange"> = {
  client({ resource, existing }) {
    const errors = existing ? taken(existing.spec, resource.spec) : [];
    if (errors.length > 0) throw validationError(errors);
    // A writer who knows only the spec does not mean to take the status away.
    return existing?.status && !resource.status
      ? { ...resource, status: existing.status }
      : resource;
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const ofPool = spec.pool !== undefined && spec.to !== undefined;
    if (
      ofPool === (spec.mesh !== undefined) ||
      (spec.pool === undefined) !== (spec.to === undefined)
    ) {
      const reason = "either pool and to, or mesh, say what is to change";
      errors.push({ name: "ModeChange.Spec", value: spec.pool ?? spec.mesh ?? "", reason });
    }
    for (const block of spec.blocks ?? []) {
      if (parsePrefix(block)) continue;
      errors.push({ name: "ModeChange.Spec.blocks", value: block, reason: "is no CIDR" });
    }
    return errors;
  },
};
