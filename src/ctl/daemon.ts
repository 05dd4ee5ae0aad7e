/** What the long-running commands have in common. */

import { unknownCommandText } from "./cobra.ts";
import { failure } from "./crud/errors.ts";

export function refuseArguments(args: readonly string[]): void {
  const [first] = args;
  if (first !== undefined) throw failure(unknownCommandText(first, "switchyard"));
}

/** The signal that asks this process to end; a second one ends it at once. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}
