/** `patch`: changes fields of one stored resource by a merge patch. */

import { errorText, hasCode, SwitchyardError } from "../../lib/index.ts";
import { decodeResource, mergePatch } from "../../model/index.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { patchResource } from "../crud/actions.ts";
import { failure } from "../crud/errors.ts";
import { type NamespaceFlags, resolveNamespace } from "../crud/namespace.ts";
import { type ExposedResource, requireKind } from "../crud/target.ts";

export interface PatchOptions extends NamespaceFlags, ConnectionOptions {
  readonly patch?: string;
  /** Every type means a strategic merge patch, as with calicoctl. */
  readonly type: string;
}

export async function patch(
  args: readonly string[],
  options: PatchOptions,
  context: CtlContext,
): Promise<void> {
  const kind = requireKind(args[0]);
  const name = args[1] ?? "";
  if (name === "") throw failure("resource name may not be empty");
  await withDatastore({ options, context }, async (datastore) => {
    try {
      const target = { kind, name };
      const namespace = resolveNamespace(target, options);
      const change = (stored: ExposedResource) => patched(stored, options.patch ?? "");
      await patchResource(target, { datastore, clock: context.clock, namespace, change });
    } catch (error) {
      if (hasCode(error, "DATASTORE_UNAVAILABLE")) throw error;
      throw failure(`hit error: ${errorText(error)}`, error);
    }
  });
  context.stdout(`Successfully patched 1 '${kind}' resource\n`);
}

function patched(stored: ExposedResource, text: string): ExposedResource {
  const change = parsePatch(text);
  try {
    return decodeResource(mergePatch(stored, change)) as unknown as ExposedResource;
  } catch (error) {
    throw wrapped("creating resource from patched data", error);
  }
}

function parsePatch(text: string): unknown {
  let change: unknown;
  try {
    change = JSON.parse(text);
  } catch (error) {
    throw wrapped(
      "performing strategic merge patch",
      new Error(`invalid JSON document: ${errorText(error)}`),
    );
  }
  if (typeof change === "object" && change !== null && !Array.isArray(change)) return change;
  throw wrapped("performing strategic merge patch", new Error("the patch is not a JSON object"));
}

function wrapped(what: string, error: unknown): SwitchyardError {
  return new SwitchyardError("RESOURCE_INVALID", `${what}: ${errorText(error)}`, { cause: error });
}
