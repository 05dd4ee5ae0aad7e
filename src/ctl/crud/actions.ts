/**
 * What each verb does with one resource. Metadata follows calicoctl: a file says labels and
 * annotations, everything else of a stored object stays as it is.
 */

import type { Datastore } from "../../datastore/index.ts";
import { type Clock, hasCode, SwitchyardError, sleep } from "../../lib/index.ts";
import type { ExposedKind, Kind, Metadata, ResourceOf } from "../../model/index.ts";
import { type ExposedResource, resourceOf, type Target } from "./target.ts";

export interface ActionContext {
  readonly datastore: Datastore;
  readonly clock: Clock;
  /** Resolved by the flags; absent for cluster-wide kinds and all namespaces. */
  readonly namespace: string | undefined;
}

type Verb = "create" | "apply" | "replace" | "patch" | "delete";

const readOnlyTexts: Readonly<Record<Verb, (kind: Kind) => string>> = {
  create: (kind) => `operation create or apply is not supported on ${kind}`,
  apply: (kind) => `operation apply is not supported on ${kind}: resource is readonly`,
  replace: (kind) => `operation apply or replace is not supported on ${kind}`,
  patch: (kind) => `operation apply or replace is not supported on ${kind}`,
  delete: (kind) => `operation delete is not supported on ${kind}`,
};

/** Kinds that agents and servers write, operators read. */
const readOnlyKinds: readonly Kind[] = [
  "ClusterInformation",
  "NodeMode",
  "NodeHost",
  "ModeChange",
  "ModeEvidence",
];

function refuseReadOnly(verb: Verb, kind: ExposedKind): void {
  if (!readOnlyKinds.includes(kind)) return;
  throw new SwitchyardError("OPERATION_NOT_SUPPORTED", readOnlyTexts[verb](kind));
}

function withMetadata(resource: ExposedResource, metadata: Metadata): ResourceOf<Kind> {
  return { ...(resource as ResourceOf<Kind>), metadata };
}

/** What of a file's metadata reaches a new object. */
function metadataToCreate(resource: ExposedResource, namespace: string | undefined): Metadata {
  const { name, resourceVersion, labels, annotations } = resource.metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
  };
}

export async function createResource(target: Target, context: ActionContext): Promise<unknown> {
  refuseReadOnly("create", target.kind);
  const resource = resourceOf(target);
  const metadata = metadataToCreate(resource, context.namespace);
  return await context.datastore.create(withMetadata(resource, metadata));
}

export async function applyResource(target: Target, context: ActionContext): Promise<unknown> {
  refuseReadOnly("apply", target.kind);
  const resource = resourceOf(target);
  const { resourceVersion: _, ...metadata } = metadataToCreate(resource, context.namespace);
  try {
    return await context.datastore.create(withMetadata(resource, metadata));
  } catch (error) {
    const exists =
      hasCode(error, "RESOURCE_ALREADY_EXISTS") || hasCode(error, "OPERATION_NOT_SUPPORTED");
    if (!exists) throw error;
  }
  return await updateResource(target, context);
}

export async function replaceResource(target: Target, context: ActionContext): Promise<unknown> {
  refuseReadOnly("replace", target.kind);
  return await updateResource(target, context);
}

const updateAttempts = 5;
const updateRetryMs = 1000;

/** Retries a conflict only if the file does not insist on a revision. */
async function updateResource(target: Target, context: ActionContext): Promise<unknown> {
  const resource = resourceOf(target);
  const wanted = resource.metadata.resourceVersion || undefined;
  for (let attempt = 1; ; attempt++) {
    const stored = await getResource(target, context);
    if (wanted !== undefined && wanted !== stored.metadata.resourceVersion) {
      throw conflict(target, context.namespace);
    }
    const { labels: _labels, annotations: _annotations, ...kept } = stored.metadata;
    const { labels, annotations } = resource.metadata;
    const metadata = {
      ...kept,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
    };
    try {
      return await context.datastore.update(withMetadata(resource, metadata));
    } catch (error) {
      const mayRetry = wanted === undefined && attempt < updateAttempts;
      if (!mayRetry || !hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
    await sleep(context.clock, updateRetryMs);
  }
}

function conflict(target: Target, namespace: string | undefined): SwitchyardError {
  const id = namespace === undefined ? target.name : `${namespace}/${target.name}`;
  return new SwitchyardError("RESOURCE_CONFLICT", `update conflict: ${target.kind}(${id})`);
}

export async function deleteResource(target: Target, context: ActionContext): Promise<unknown> {
  refuseReadOnly("delete", target.kind);
  return await context.datastore.delete(target.kind, target.name ?? "", {
    ...namespaceOption(context.namespace),
    ...(target.resourceVersion === undefined ? {} : { resourceVersion: target.resourceVersion }),
  });
}

export async function getResource(
  target: Target,
  context: ActionContext,
): Promise<ExposedResource> {
  const options = namespaceOption(context.namespace);
  const found = await context.datastore.get(target.kind, target.name ?? "", options);
  return found as unknown as ExposedResource;
}

export async function patchResource(
  target: Target,
  context: ActionContext & { readonly change: (stored: ExposedResource) => ExposedResource },
): Promise<unknown> {
  refuseReadOnly("patch", target.kind);
  const stored = await getResource(target, context);
  const changed = context.change(stored);
  try {
    return await context.datastore.update(changed as ResourceOf<Kind>);
  } catch (error) {
    if (hasCode(error, "DATASTORE_UNAVAILABLE") || !(error instanceof SwitchyardError)) throw error;
    throw new SwitchyardError(error.code, `updating existing resource: ${error.message}`, {
      cause: error,
    });
  }
}

export function namespaceOption(namespace: string | undefined): { namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}
