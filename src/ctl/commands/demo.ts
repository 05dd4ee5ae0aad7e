/** `demo`: the guided tour of the lab. */

import { runDemo } from "../../lab/demo/index.ts";
import { refuseArguments } from "../cobra.ts";
import type { CtlContext, GlobalOptions } from "../context.ts";

export interface DemoOptions extends GlobalOptions {
  readonly json?: string;
  readonly keep?: boolean;
}

export async function demo(
  args: readonly string[],
  options: DemoOptions,
  context: CtlContext,
): Promise<void> {
  refuseArguments(args, "demo");
  const { json, keep } = options;
  process.exitCode = await runDemo({
    print: (line) => context.stdout(`${line}\n`),
    ...(json === undefined ? {} : { json }),
    ...(keep === undefined ? {} : { keep }),
  });
}
