/** Where a kind lives in the Kubernetes-style API. */

import { apiRoot, type Kind, kindTable } from "../../model/index.ts";

export function collectionPath(kind: Kind, namespace?: string): string {
  const { apiVersion, plural, namespaced } = kindTable[kind];
  const scope = namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${apiRoot(apiVersion)}${scope}/${plural}`;
}

export function objectPath(kind: Kind, options: { name: string; namespace?: string | undefined }) {
  return `${collectionPath(kind, options.namespace)}/${encodeURIComponent(options.name)}`;
}
