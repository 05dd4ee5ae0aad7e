/** How an object is found: kind, namespace, name, and the checks every backend makes alike. */

import { SwitchyardError } from "../lib/index.ts";
import { type Kind, kindTable, type Metadata, validationError } from "../model/index.ts";

export interface ObjectKey {
  readonly kind: Kind;
  /** "" for a cluster-scoped kind. */
  readonly namespace: string;
  readonly name: string;
}

const notSpecified = "namespace is not specified on namespaced resource";

/** @throws RESOURCE_INVALID for no name, or a namespaced kind without namespace. */
export function objectKey(options: {
  kind: Kind;
  name: string;
  namespace: string | undefined;
}): ObjectKey {
  const { kind, name, namespace } = options;
  if (name === "") {
    const message = "insufficient identifiers, missing 'name'";
    throw new SwitchyardError("RESOURCE_INVALID", message, { details: { kind } });
  }
  if (!kindTable[kind].namespaced) return { kind, namespace: "", name };
  if (!namespace) {
    throw validationError([{ name: "Metadata.Namespace", value: "", reason: notSpecified }]);
  }
  return { kind, namespace, name };
}

/** Calico's checks of a create request, in its order. */
export function createKey(kind: Kind, metadata: Metadata): ObjectKey {
  const reason = "field must be set for a Create request";
  if (metadata.name === "") {
    const tail = metadata.generateName ? " (GenerateName is not supported)" : "";
    throw validationError([{ name: "Metadata.Name", value: "", reason: `${reason}${tail}` }]);
  }
  if (metadata.resourceVersion) {
    throw validationError([
      {
        name: "Metadata.ResourceVersion",
        value: metadata.resourceVersion,
        reason: "field must not be set for a Create request",
      },
    ]);
  }
  return objectKey({ kind, name: metadata.name, namespace: metadata.namespace });
}

/** Calico's checks of an update request, in its order. */
export function updateKey(kind: Kind, metadata: Metadata): ObjectKey {
  const reason = "field must be set for an Update request";
  if (!metadata.resourceVersion) {
    throw validationError([{ name: "Metadata.ResourceVersion", value: "", reason }]);
  }
  const key = objectKey({ kind, name: metadata.name, namespace: metadata.namespace });
  if (!metadata.creationTimestamp) {
    throw validationError([{ name: "Metadata.CreationTimestamp", value: "", reason }]);
  }
  if (!metadata.uid) throw validationError([{ name: "Metadata.UID", value: "", reason }]);
  return key;
}

/** As an error names it: the namespace only where there is one. */
export function objectName(key: ObjectKey): { kind: Kind; name: string; namespace?: string } {
  const { kind, name, namespace } = key;
  return namespace === "" ? { kind, name } : { kind, name, namespace };
}

/** Revisions are decimal counters of any length. Negative when `a` is older. */
export function compareRevisions(a: string, b: string): number {
  return a.length === b.length ? (a < b ? -1 : a > b ? 1 : 0) : a.length - b.length;
}
