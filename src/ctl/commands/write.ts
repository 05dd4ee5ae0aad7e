/** `create`, `apply`, `replace`, `delete`: change resources by file, or by kind and name. */

import { hasCode } from "../../lib/index.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import {
  type ActionContext,
  applyResource,
  createResource,
  deleteResource,
  replaceResource,
} from "../crud/actions.ts";
import { reportDelete, reportReplace, reportWrites } from "../crud/report.ts";
import { type CrudOptions, loadTargets, type Outcome, runTargets } from "../crud/run.ts";
import type { Target } from "../crud/target.ts";

export interface WriteOptions extends CrudOptions, ConnectionOptions {
  readonly skipExists?: boolean;
  readonly skipNotExists?: boolean;
}

interface WriteCommand {
  readonly action: (target: Target, context: ActionContext) => Promise<unknown>;
  readonly report: (outcome: Outcome, context: CtlContext) => void;
}

async function write(
  command: WriteCommand,
  request: { args: readonly string[]; options: WriteOptions },
  context: CtlContext,
): Promise<void> {
  const targets = await loadTargets(request, context);
  if (targets === undefined) return;
  const { options } = request;
  const outcome = await withDatastore({ options, context }, (datastore) =>
    runTargets({
      targets,
      flags: options,
      datastore,
      clock: context.clock,
      action: command.action,
    }),
  );
  command.report(outcome, context);
}

/** What the flag says to overlook counts as done. */
function overlook(
  action: WriteCommand["action"],
  code: "RESOURCE_ALREADY_EXISTS" | "RESOURCE_NOT_FOUND",
): WriteCommand["action"] {
  return async (target, context) => {
    try {
      return await action(target, context);
    } catch (error) {
      if (hasCode(error, code)) return undefined;
      throw error;
    }
  };
}

type Command = (
  args: readonly string[],
  options: WriteOptions,
  context: CtlContext,
) => Promise<void>;

export const create: Command = (args, options, context) => {
  const action = options.skipExists
    ? overlook(createResource, "RESOURCE_ALREADY_EXISTS")
    : createResource;
  const report: WriteCommand["report"] = (outcome) =>
    reportWrites(outcome, { infinitive: "create", past: "created" }, context);
  return write({ action, report }, { args, options }, context);
};

export const apply: Command = (args, options, context) => {
  const report: WriteCommand["report"] = (outcome) =>
    reportWrites(outcome, { infinitive: "apply", past: "applied" }, context);
  return write({ action: applyResource, report }, { args, options }, context);
};

export const replace: Command = (args, options, context) =>
  write({ action: replaceResource, report: reportReplace }, { args, options }, context);

export const remove: Command = (args, options, context) => {
  const action = options.skipNotExists
    ? overlook(deleteResource, "RESOURCE_NOT_FOUND")
    : deleteResource;
  return write({ action, report: reportDelete }, { args, options }, context);
};
