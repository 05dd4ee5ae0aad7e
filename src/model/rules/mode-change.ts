/** ModeChange: what is asked cannot be another thing later, and going back is not taken back. Its evidence is of one node. */

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

const endings: ReadonlySet<string> = new Set(["Done", "Refused", "RolledBack"]);

/** `probes`, `mesh` and `pool.NAME` say which change has these. A pool may be called so itself. */
function isLeaseOfOther(name: string, { pool }: ModeChangeSpec): boolean {
  if (name === "probes" || name === "mesh") return true;
  return name.startsWith("pool.") && !(pool !== undefined && name.startsWith(`${pool}-`));
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
  validate({ metadata: { name }, spec, status }) {
    const errors: FieldError[] = [];
    if (isLeaseOfOther(name, spec)) {
      const reason =
        "is the name of a lease that tells which change has this: let it begin with the name of its pool";
      errors.push({ name: "Metadata.Name", value: name, reason });
    }
    if (status?.orders && endings.has(status.phase)) {
      const reason = "a change that has ended orders nothing: agents would obey it for ever";
      errors.push({ name: "ModeChange.Status.orders", value: status.phase, reason });
    }
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

export const modeEvidenceRules: RuleSet<"ModeEvidence"> = {
  validate({ metadata: { name }, spec: { change, node } }) {
    const expected = `${change}.${node}`;
    if (name === expected) return [];
    const reason = `what ${node} saw of ${change} is named ${expected}, so that there is one of it`;
    return [{ name: "Metadata.Name", value: name, reason }];
  },
};
