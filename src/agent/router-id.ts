/** The BGP identifier of a node that has no IPv4 address. */

import { createHash } from "node:crypto";
import { addressFromBytes, type Ipv4 } from "../lib/index.ts";

/** Calico's rule for CALICO_ROUTER_ID=hash: the first octets of SHA-256 of the name, as a unicast address. */
export function hashedRouterId(node: string): Ipv4 {
  const [first = 0, ...rest] = createHash("sha256").update(node).digest().subarray(0, 4);
  return addressFromBytes(Uint8Array.of(first > 223 ? first - 32 : first, ...rest)) as Ipv4;
}
