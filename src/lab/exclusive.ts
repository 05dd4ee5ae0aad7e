/** Runs what changes a lab: alone, and from outside of it. */

import { SwitchyardError, systemClock } from "../lib/index.ts";
import { namespacePath } from "../lib/sys/index.ts";
import { withLock } from "./lock.ts";
import { labNamespaces } from "./network.ts";
import type { LabPaths } from "./paths.ts";
import { ownNamespaceAmong } from "./process-identity.ts";

/** `what`: `lab up`. @throws LAB_FAILED inside a namespace of the lab, or when it is busy for long. */
export async function exclusively<T>(
  paths: LabPaths,
  what: string,
  body: () => Promise<T>,
): Promise<T> {
  const inside = ownNamespaceAmong(labNamespaces(paths).map(namespacePath));
  if (inside !== undefined) {
    throw new SwitchyardError(
      "LAB_FAILED",
      `${what} was called inside the lab, in ${inside}: leave \`lab exec\` first`,
    );
  }
  const holder = `${what} (pid ${process.pid})`;
  return await withLock({ directory: paths.directory, holder, clock: systemClock }, body);
}
