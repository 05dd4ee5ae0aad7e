/** What clients send: objects, patches and delete options, checked before the store sees them. */

import type { Datastore } from "../datastore/index.ts";
import { hasCode, SwitchyardError } from "../lib/index.ts";
import {
  decodeResourceOf,
  type Kind,
  mergePatch,
  type ResourceOf,
  strategicMerge,
} from "../model/index.ts";

interface Target {
  readonly kind: Kind;
  readonly name?: string;
  readonly namespace?: string | undefined;
}

export function badRequest(message: string): SwitchyardError {
  return new SwitchyardError("INVALID_ARGUMENT", message);
}

/** The body as an object of this kind; its name and namespace must be those of the path. */
export function readObject(body: unknown, target: Target): ResourceOf<Kind> {
  const { kind, name, namespace } = target;
  const resource = decodeResourceOf(kind, body);
  const { metadata } = resource;
  if (name !== undefined && metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (namespace === undefined) return resource;
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the URL (${namespace})`,
    );
  }
  return { ...resource, metadata: { ...metadata, namespace } };
}

export type Merge = (kind: Kind, target: unknown, patch: unknown) => unknown;

/** How a patch of this media type is to be read. @throws INVALID_ARGUMENT */
export function mergeOf(mediaType = ""): Merge {
  const [type] = mediaType.split(";");
  if (type === "application/strategic-merge-patch+json") return strategicMerge;
  const others = ["application/json-patch+json", "application/apply-patch+yaml"];
  if (!others.includes(type ?? "")) return (_kind, target, patch) => mergePatch(target, patch);
  throw badRequest(`a patch of type ${type} is not understood, merge patches are`);
}

const patchAttempts = 5;

/** A patch without resourceVersion is repeated on conflict: it says what to change, not from what. */
export async function patchObject(
  store: Datastore,
  options: Target & { name: string; patch: unknown; merge: Merge },
): Promise<ResourceOf<Kind>> {
  const { kind, name, namespace, patch, merge } = options;
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
    throw badRequest("a merge patch is a JSON object");
  }
  for (let attempt = 1; ; attempt++) {
    const stored = await store.get(kind, name, namespace ? { namespace } : {});
    const patched = readObject(merge(kind, stored, patch), options);
    const pinned = patched.metadata.resourceVersion !== stored.metadata.resourceVersion;
    try {
      return await store.update(patched);
    } catch (error) {
      if (pinned || attempt === patchAttempts || !hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}

export function deletePreconditions(body: unknown): { resourceVersion?: string; uid?: string } {
  if (body === undefined || body === null) return {};
  if (typeof body !== "object") throw badRequest("DeleteOptions is a JSON object");
  const { preconditions = {} } = body as { preconditions?: unknown };
  if (typeof preconditions !== "object" || preconditions === null) {
    throw badRequest("preconditions is a JSON object");
  }
  const { resourceVersion, uid } = preconditions as Record<string, unknown>;
  for (const value of [resourceVersion, uid]) {
    if (value !== undefined && typeof value !== "string") {
      throw badRequest("preconditions.resourceVersion and preconditions.uid are strings");
    }
  }
  return {
    ...(resourceVersion ? { resourceVersion: resourceVersion as string } : {}),
    ...(uid ? { uid: uid as string } : {}),
  };
}
