/** `get`: shows resources by kind and name, or those that a file names. */

import { errorText } from "../../lib/index.ts";
import { type ExposedKind, kindTable, type ResourceOf } from "../../model/index.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { type ActionContext, getResource, namespaceOption } from "../crud/actions.ts";
import { failure } from "../crud/errors.ts";
import { type CrudOptions, loadTargets, runTargets } from "../crud/run.ts";
import type { ExposedResource, Target } from "../crud/target.ts";
import { parseOutputFormat } from "../output/format.ts";
import { type Found, printFound } from "../output/print.ts";

export interface GetOptions extends CrudOptions, ConnectionOptions {
  readonly output: string;
  readonly export?: boolean;
  /** `-a`, the older spelling of `-A`. */
  readonly allNamespacesA?: boolean;
}

export async function get(
  args: readonly string[],
  given: GetOptions,
  context: CtlContext,
): Promise<void> {
  const allNamespaces = Boolean(given.allNamespaces || given.allNamespacesA);
  const options = { ...given, allNamespaces };
  const prefix = "failed to get resources: ";
  const targets = await loadTargets({ args, options, prefix }, context);
  if (targets === undefined) return;
  const format = parseOutputFormat(options.output);
  const byName = options.filename === undefined && args.length > 1;
  if (options.allNamespaces && byName && args.length === 2)
    refuseNameInAllNamespaces(targets.targets);
  await withDatastore({ options, context, prefix }, async (datastore) => {
    const outcome = await runTargets({
      targets,
      flags: options,
      datastore,
      clock: context.clock,
      action: find,
    });
    const found = options.export && byName ? outcome.results.map(exported) : outcome.results;
    const withNamespace = allNamespaces || Boolean(options.namespace);
    context.stdout(await printFound(found, { format, withNamespace, datastore }));
    if (outcome.errors.length > 0) throw failure(outcome.errors.map(errorText).join("\n"));
  });
}

function refuseNameInAllNamespaces(targets: readonly Target[]): void {
  const [first] = targets;
  if (first === undefined || !kindTable[first.kind].namespaced) return;
  throw failure("cannot use --all-namespace flag for getting a single resource");
}

async function find(target: Target, context: ActionContext): Promise<Found> {
  if (target.name !== undefined) {
    return { kind: "resource", resource: await getResource(target, context) };
  }
  const list = await context.datastore.list(target.kind, namespaceOption(context.namespace));
  return {
    kind: "list",
    of: target.kind,
    resourceVersion: list.resourceVersion,
    items: list.items as readonly ResourceOf<ExposedKind>[] as unknown as ExposedResource[],
  };
}

/** Without what belongs to this one cluster, so that another can create it. */
function exported(found: Found): Found {
  if (found.kind === "list") return found;
  const {
    namespace: _namespace,
    uid: _uid,
    resourceVersion: _resourceVersion,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    ...metadata
  } = found.resource.metadata;
  return { kind: "resource", resource: { ...found.resource, metadata } as ExposedResource };
}
