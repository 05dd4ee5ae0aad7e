/** Runs one verb over all targets of a command and collects what came of each. */

import type { Datastore } from "../../datastore/index.ts";
import { errorText } from "../../lib/index.ts";
import type { ExposedKind } from "../../model/index.ts";
import type { CtlContext } from "../context.ts";
import type { ActionContext } from "./actions.ts";
import { failure, rethrowIfUnavailable } from "./errors.ts";
import { type NamespaceFlags, resolveNamespace } from "./namespace.ts";
import { selectTargets, type Target, type Targets } from "./target.ts";

export interface CrudOptions extends NamespaceFlags {
  readonly filename?: string;
  readonly recursive?: boolean;
  readonly skipEmpty?: boolean;
}

export interface Outcome<T = unknown> {
  readonly singleKind: ExposedKind | undefined;
  /** Targets the command had. */
  readonly total: number;
  readonly results: readonly T[];
  readonly errors: readonly unknown[];
}

export interface LoadRequest {
  readonly args: readonly string[];
  readonly options: CrudOptions;
  /** Put before an error that no file is to blame for. */
  readonly prefix?: string;
}

/** The targets of a command; `undefined` if there are none and that is fine. */
export async function loadTargets(
  request: LoadRequest,
  context: CtlContext,
): Promise<Targets | undefined> {
  const [kind, ...names] = request.args;
  const { filename, recursive = false, skipEmpty = false } = request.options;
  let targets: Targets;
  try {
    targets = await selectTargets({ kind, names, filename, recursive });
  } catch (error) {
    const prefix = filename === undefined ? (request.prefix ?? "") : "failed to execute command: ";
    throw failure(prefix + errorText(error), error);
  }
  if (targets.emptySource === undefined) return targets;
  if (!skipEmpty) throw failure(`no resources specified in ${targets.emptySource}`);
  context.stdout("No resources specified\n");
  return undefined;
}

export interface RunRequest<T> {
  readonly targets: Targets;
  readonly flags: NamespaceFlags;
  readonly datastore: Datastore;
  readonly clock: CtlContext["clock"];
  readonly action: (target: Target, context: ActionContext) => Promise<T>;
}

/** In order, one after the other, going on after an error. */
export async function runTargets<T>(request: RunRequest<T>): Promise<Outcome<T>> {
  const { targets, flags, datastore, clock, action } = request;
  const results: T[] = [];
  const errors: unknown[] = [];
  for (const target of targets.targets) {
    try {
      const namespace = resolveNamespace(target, flags);
      results.push(await action(target, { datastore, clock, namespace }));
    } catch (error) {
      rethrowIfUnavailable(error);
      errors.push(error);
    }
  }
  return { singleKind: targets.singleKind, total: targets.targets.length, results, errors };
}
