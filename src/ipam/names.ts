/** Names of address-management objects, as Calico spells them in Kubernetes. */

import { createHash } from "node:crypto";
import { formatPrefix, type Prefix } from "../lib/index.ts";

/** Kubernetes allows 253 characters; Calico shortens from 253 on. */
const NAME_LIMIT = 253;
const HASH_LENGTH = 11;

/** `10.0.0.0/26` as `10-0-0-0-26`, `fd00::/122` as `fd00---122`. Also the name of an IPAMBlock. */
export function cidrName(cidr: Prefix): string {
  return formatPrefix(cidr).replaceAll(/[.:/]/g, "-");
}

/** `<host>-<cidr name>`; a host too long for that is cut, and a hash keeps the name unique. */
export function affinityName(host: string, cidr: Prefix): string {
  const suffix = cidrName(cidr);
  const name = `${host}-${suffix}`;
  if (name.length < NAME_LIMIT) return name;
  const hash = createHash("sha256").update(`${host}+${suffix}`).digest("hex").slice(0, HASH_LENGTH);
  const room = NAME_LIMIT - 1 - suffix.length - (HASH_LENGTH + 2);
  return `${host.slice(0, room)}-${suffix}-${hash}`;
}

/** Text after a carriage return is not part of a handle. */
export function cleanHandle(handle: string): string {
  const end = handle.indexOf("\r");
  return end < 0 ? handle : handle.slice(0, end);
}

/** Handles keep their case in `spec.handleID`; object names are lower case. */
export function handleName(handle: string): string {
  return handle.toLowerCase();
}

/** The value of `IPAMBlock.spec.affinity` for blocks of a host. */
export function hostAffinity(node: string): string {
  return `host:${node}`;
}

/** The host of an affinity; `undefined` for virtual ones and for none. */
export function hostOfAffinity(affinity: string | null | undefined): string | undefined {
  return affinity?.startsWith("host:") ? affinity.slice("host:".length) : undefined;
}
