/** `label`: sets or removes one label of one resource. */

import type { Datastore } from "../../datastore/index.ts";
import { errorText, hasCode } from "../../lib/index.ts";
import type { Kind, ResourceOf } from "../../model/index.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { getResource } from "../crud/actions.ts";
import { failure, rethrowIfUnavailable } from "../crud/errors.ts";
import { type NamespaceFlags, resolveNamespace } from "../crud/namespace.ts";
import { type ExposedResource, requireKind } from "../crud/target.ts";

export interface LabelOptions extends NamespaceFlags, ConnectionOptions {
  readonly overwrite?: boolean;
  readonly remove?: boolean;
}

type Labels = Readonly<Record<string, string>>;

interface LabelRequest {
  readonly key: string;
  readonly value: string;
  readonly options: LabelOptions;
  /** KIND and NAME as typed: messages echo them. */
  readonly subject: string;
}

interface LabelChange {
  readonly labels: Labels;
  readonly message: string;
}

export async function label(
  args: readonly string[],
  options: LabelOptions,
  context: CtlContext,
): Promise<void> {
  const [kindText = "", name = "", change = ""] = args;
  const equals = change.indexOf("=");
  if (equals < 0 && !options.remove) throw failure(`invalid label ${change}`);
  const key = options.remove || equals < 0 ? change : change.slice(0, equals);
  const value = equals < 0 ? "" : change.slice(equals + 1);
  const request = { key, value, options, subject: `${kindText} ${name}` };
  await withDatastore({ options, context }, async (datastore) => {
    const stored = await find({ kindText, name, subject: request.subject }, options, {
      datastore,
      context,
    });
    const { labels, message } = changedLabels(stored.metadata.labels ?? {}, request);
    const metadata = { ...stored.metadata, labels };
    try {
      await datastore.update({ ...stored, metadata } as unknown as ResourceOf<Kind>);
    } catch (error) {
      rethrowIfUnavailable(error);
      throw failure(`failed to update ${request.subject}, label not changed`, error);
    }
    context.stdout(`${message}\n`);
  });
}

async function find(
  named: { readonly kindText: string; readonly name: string; readonly subject: string },
  flags: NamespaceFlags,
  from: { readonly datastore: Datastore; readonly context: CtlContext },
): Promise<ExposedResource> {
  const { datastore, context } = from;
  try {
    const target = { kind: requireKind(named.kindText), name: named.name };
    const namespace = resolveNamespace(target, flags);
    return await getResource(target, { datastore, clock: context.clock, namespace });
  } catch (error) {
    rethrowIfUnavailable(error);
    if (hasCode(error, "RESOURCE_NOT_FOUND")) throw failure(`${named.subject} not found`, error);
    throw failure(`failed to get ${named.subject}, error ${errorText(error)}`, error);
  }
}

function changedLabels(labels: Labels, request: LabelRequest): LabelChange {
  const { key, value, options, subject } = request;
  const present = Object.hasOwn(labels, key);
  if (options.remove) {
    if (!present) throw failure(`cannot remove label of ${subject}, key ${key} does not exist`);
    const { [key]: _, ...rest } = labels;
    return { labels: rest, message: `Successfully removed label ${key} from ${subject}` };
  }
  if (present && labels[key] !== value && !options.overwrite) {
    throw failure(
      `failed to update label of ${subject}, key ${key} is already present. please use '--overwrite' to set a new value`,
    );
  }
  const done = present ? "updated" : "set";
  return {
    labels: { ...labels, [key]: value },
    message: `Successfully ${done} label ${key} on ${subject}`,
  };
}
