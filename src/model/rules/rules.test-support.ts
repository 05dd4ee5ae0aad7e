/** Shared by the rule tests: build an object as a client would send it, and see what is said. */

import { errorText } from "../../lib/index.ts";
import { decodeResourceOf } from "../decode.ts";
import { type Kind, kindTable } from "../kinds/index.ts";
import type { IPPool, ResourceOf } from "../resource.ts";
import { prepareForWrite } from "./prepare.ts";

export function build<K extends Kind>(kind: K, spec: object, metadata: object = {}): ResourceOf<K> {
  const { apiVersion } = kindTable[kind];
  return decodeResourceOf(kind, { apiVersion, kind, metadata: { name: "x", ...metadata }, spec });
}

export function pool(name: string, spec: object): IPPool {
  return build("IPPool", spec, { name });
}

/** The message of the refusal, or "" when the object passes. */
export function refusalOf<K extends Kind>(
  resource: ResourceOf<K>,
  more: {
    existing?: ResourceOf<K>;
    pools?: readonly IPPool[];
    filters?: readonly string[];
  } = {},
): string {
  try {
    prepareForWrite({ resource, operation: more.existing ? "update" : "create", ...more });
    return "";
  } catch (error) {
    return errorText(error);
  }
}

/** What is said of one field that fails its tag. */
export function tagged(field: string, value: string, tag: string): string {
  return `error with field ${field} = '${value}' (Reason: failed to validate Field: ${field} because of Tag: ${tag} )`;
}
