/**
 * Once every node is ordered to move, a change is to be verified: then the whole kernel is held against the plan,
 * object by object, and not only the routes that a pass has just made.
 */

import type { Dataplane } from "../dataplane/index.ts";
import { errorText } from "../lib/index.ts";
import { orderedChanges } from "../mode/index.ts";
import type { ModeChange } from "../model/index.ts";
import type { Difference, NodePlan } from "../plan/index.ts";

/** Differences named; the rest is counted. */
const MOST_NAMED = 5;

/** What the kernel does not hold as planned, in words; nothing while no change is to be verified. O(objects of the plan). */
export async function verifyKernel(
  dataplane: Pick<Dataplane, "compare">,
  { plan, changes }: { readonly plan: NodePlan; readonly changes: readonly ModeChange[] },
): Promise<readonly string[]> {
  if (!orderedChanges(changes).some(({ status }) => status?.orders?.moved === "all")) return [];
  let differences: readonly Difference[];
  try {
    ({ differences } = await dataplane.compare(plan));
  } catch (error) {
    // What has been applied must be told all the same: the others wait for it.
    return [`the kernel cannot be compared with its plan: ${errorText(error)}`];
  }
  const named = differences.slice(0, MOST_NAMED).map(inWords);
  const more = differences.length - named.length;
  return more > 0 ? [...named, `and ${more} more`] : named;
}

function inWords(difference: Difference): string {
  switch (difference.kind) {
    case "missing":
      return `${difference.planned} is not in the kernel`;
    case "unplanned":
      return `the kernel holds ${difference.held}, which is not planned`;
    case "differs":
      return `the kernel holds ${difference.held} instead of ${difference.planned}`;
  }
}
