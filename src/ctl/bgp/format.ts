/** Output formats of the `bgp` commands. */

import type { CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";

export function requireFormat<F extends string>(output: string, formats: readonly F[]): F {
  const found = formats.find((format) => format === output);
  if (found !== undefined) return found;
  throw failure(`unrecognized output format '${output}': it is one of ${formats.join(", ")}`);
}

/** Resolves when it was taken: what comes after may wait for whoever reads. */
export async function write(context: CtlContext, data: string | Uint8Array): Promise<void> {
  if (context.write) await context.write(data);
  else context.stdout(typeof data === "string" ? data : Buffer.from(data).toString("latin1"));
}

/** A JSON array, an element per line, written as its elements come. */
export async function writeJsonArray(
  context: CtlContext,
  documents: AsyncIterable<unknown>,
): Promise<void> {
  let before = "[\n";
  for await (const document of documents) {
    await write(context, `${before}${JSON.stringify(document)}`);
    before = ",\n";
  }
  await write(context, before === "[\n" ? "[]\n" : "\n]\n");
}
