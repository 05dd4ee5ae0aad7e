/** Plan against kernel, object by object: what is missing, what is not planned, what differs; pure. */

import type { PlanObject } from "./objects.ts";

/** An object of the kernel that is ours, or that stands where one of ours belongs. */
export interface HeldObject {
  readonly key: string;
  readonly line: string;
  /** Why it is there although the plan does not want it so. */
  readonly note?: string;
}

export type Difference =
  | { readonly kind: "missing"; readonly planned: string; readonly reason: string }
  | { readonly kind: "unplanned"; readonly held: string; readonly reason: string }
  | {
      readonly kind: "differs";
      readonly planned: string;
      readonly held: string;
      readonly reason: string;
    };

/** In the order of the plan, then what is not planned in the order of the kernel. O(planned + held). */
export function diffObjects(
  planned: readonly PlanObject[],
  held: readonly HeldObject[],
): Difference[] {
  const byKey = new Map<string, HeldObject[]>();
  for (const object of held) {
    const others = byKey.get(object.key);
    if (others === undefined) byKey.set(object.key, [object]);
    else others.push(object);
  }
  const settled = new Set<HeldObject>();
  const differences: Difference[] = [];
  for (const { key, line, reason } of planned) {
    const candidates = byKey.get(key) ?? [];
    const same = candidates.find((object) => !settled.has(object) && object.line === line);
    const [found] = same ? [same] : candidates.filter((object) => !settled.has(object));
    if (found !== undefined) settled.add(found);
    if (same !== undefined) continue;
    if (found === undefined) differences.push({ kind: "missing", planned: line, reason });
    else {
      const why = found.note === undefined ? reason : `${reason}; ${found.note}`;
      differences.push({ kind: "differs", planned: line, held: found.line, reason: why });
    }
  }
  for (const object of held) {
    if (settled.has(object)) continue;
    const { line, note = "ours, and not planned" } = object;
    differences.push({ kind: "unplanned", held: line, reason: note });
  }
  return differences;
}

/** `+` missing in the kernel, `-` in the kernel and not planned, `~` differs; the reason behind each. */
export function renderDifference(difference: Difference): string {
  const { kind, reason } = difference;
  switch (kind) {
    case "missing":
      return `+ ${difference.planned}\n    ${reason}`;
    case "unplanned":
      return `- ${difference.held}\n    ${reason}`;
    case "differs":
      return `~ ${difference.planned}\n    kernel: ${difference.held}\n    ${reason}`;
  }
}
