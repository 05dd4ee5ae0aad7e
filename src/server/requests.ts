/** What clients send: objects, patches and delete options, checked before the store sees them. */

import type { Datastore } from "../datastore/index.ts";
import { hasCode, SwitchyardError } from "../lib/index.ts";
import { decodeResourceOf, type Kind, mergePatch, type ResourceOf } from "../model/index.ts";

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

const patchAttempts = 5;

/** A patch without resourceVersion is repeated on conflict: it says what to change, not from what. */
export async function patchObject(
  store: Datastore,
  options: Target & { name: string; patch: unknown },
): Promise<ResourceOf<Kind>> {
  const { kind, name, namespace, patch } = options;
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
    throw badRequest("a merge patch is a JSON object");
  }
  for (let attempt = 1; ; attempt++) {
    const stored = await store.get(kind, name, namespace ? { namespace } : {});
    const patched = readObject(mergePatch(stored, patch), options);
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
