/**
 * Route leaks, RFC 9234 section 5: a route that came from a provider, a peer or a route server goes to
 * customers only, and ONLY_TO_CUSTOMER says so. Pure; `role` is this side's towards an external peer.
 */

import type { Role } from "../types.ts";
import type { PathAttributes } from "../wire/index.ts";

export interface RoleContext {
  readonly role: Role | undefined;
  readonly peerType: "ibgp" | "ebgp";
}

/** A route as it is taken, marked where it has to be; `undefined` for one that leaked. */
export function takenByRole(
  attributes: PathAttributes,
  { role, peerType, remoteAs }: RoleContext & { readonly remoteAs: number },
): PathAttributes | undefined {
  if (role === undefined || peerType === "ibgp") return attributes;
  const { onlyToCustomer } = attributes;
  if (role === "provider" || role === "rs") {
    return onlyToCustomer === undefined ? attributes : undefined;
  }
  if (onlyToCustomer === undefined) return marked(attributes, remoteAs);
  return role === "peer" && onlyToCustomer !== remoteAs ? undefined : attributes;
}

/** A route as it is told, marked where it has to be; `undefined` for one that would leak. */
export function toldByRole(
  attributes: PathAttributes,
  { role, peerType, localAs }: RoleContext & { readonly localAs: number },
): PathAttributes | undefined {
  if (role === undefined || peerType === "ibgp") return attributes;
  const upwards = role === "customer" || role === "rs-client" || role === "peer";
  if (upwards && attributes.onlyToCustomer !== undefined) return undefined;
  const marks = role === "provider" || role === "rs" || role === "peer";
  if (!marks || attributes.onlyToCustomer !== undefined) return attributes;
  return { ...attributes, onlyToCustomer: localAs };
}

/** The same object each time: routes are compared by the identity of their attributes. */
function marked(attributes: PathAttributes, onlyToCustomer: number): PathAttributes {
  let byAs = known.get(attributes);
  if (byAs === undefined) {
    byAs = new Map();
    known.set(attributes, byAs);
  }
  let made = byAs.get(onlyToCustomer);
  if (made === undefined) {
    made = { ...attributes, onlyToCustomer };
    byAs.set(onlyToCustomer, made);
  }
  return made;
}

const known = new WeakMap<PathAttributes, Map<number, PathAttributes>>();
