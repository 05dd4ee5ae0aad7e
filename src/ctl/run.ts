/**
 * One run of the command line: arguments in, exit status out. Every error ends here: printed once,
 * plain, on standard error (or where calicoctl prints it), status 1 unless it names another.
 */

import { CommanderError } from "commander";
import { errorText, SwitchyardError } from "../lib/index.ts";
import { readArguments } from "./arguments.ts";
import { cobraText } from "./cobra.ts";
import type { CtlContext } from "./context.ts";
import { massage } from "./crud/errors.ts";
import { buildProgram } from "./program.ts";

export async function runCtl(args: readonly string[], context: CtlContext): Promise<number> {
  const read = readArguments(args);
  let status = 0;
  const answer = (value: number) => {
    status = value;
  };
  try {
    const program = await buildProgram(read.word, { ...context, answer });
    await program.parseAsync([...read.args], { from: "user" });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) return report(error, context);
    if (error.exitCode === 0) return 0;
    context.stderr(`${cobraText(error, read.args)}\n`);
    return 1;
  }
}

function report(error: unknown, context: CtlContext): number {
  if (!(error instanceof SwitchyardError)) {
    context.stderr(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
  const print = error.details.stream === "stdout" ? context.stdout : context.stderr;
  print(`${massage(errorText(error))}\n`);
  const { exitStatus } = error.details;
  return typeof exitStatus === "number" ? exitStatus : 1;
}
