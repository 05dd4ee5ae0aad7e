/** The MAC address of a node's VXLAN device where its Node does not say one. */

import { createHash } from "node:crypto";

/** Calico's rule: 66, then the first five octets of SHA-1 of the node's name. */
export function vxlanMacOf(node: string): string {
  const digest = createHash("sha1").update(node).digest();
  return [
    "66",
    ...[...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, "0")),
  ].join(":");
}
