/**
 * Two connections with one peer (RFC 4271 section 6.8, RFC 6286, RFC 4724 section 5), decided when an
 * OPEN arrives on the newer of them. Pure.
 *
 * Both ends must come to the same answer, so identifiers decide whenever the two connections were set
 * up at the same time, even if one is Established on this side already. A connection that comes later
 * than that is news: the peer has restarted and the old connection is dead.
 */

import type { Ipv4 } from "../../lib/index.ts";
import type { SessionState } from "../types.ts";

export type Direction = "incoming" | "outgoing";

export interface CollisionOptions {
  readonly local: { readonly routerId: Ipv4; readonly as: number };
  readonly remote: { readonly routerId: Ipv4; readonly as: number };
  /** The connection on which the OPEN arrived. */
  readonly candidate: Direction;
  readonly other: {
    readonly state: SessionState;
    readonly direction: Direction;
    /** The peer announced graceful restart on it. */
    readonly gracefulRestart: boolean;
    /** The candidate was opened before `other` was Established, or in the first moment after. */
    readonly concurrent: boolean;
  };
}

/** `replace-other`: as if the other's TCP had failed, its routes kept; `close-other`: with Cease. */
export type CollisionOutcome = "keep-both" | "close-candidate" | "close-other" | "replace-other";

export function resolveCollision(options: CollisionOptions): CollisionOutcome {
  const { local, remote, candidate, other } = options;
  if (other.state !== "OpenConfirm" && other.state !== "Established") return "keep-both";
  if (other.state === "Established" && !other.concurrent) {
    if (candidate === "outgoing") return "close-candidate";
    return other.gracefulRestart ? "replace-other" : "close-candidate";
  }
  // The peer gave up the older of two connections that it opened itself.
  if (other.direction === candidate) return "close-other";
  const higher =
    local.routerId === remote.routerId ? local.as > remote.as : local.routerId > remote.routerId;
  const survivor: Direction = higher ? "outgoing" : "incoming";
  return survivor === candidate ? "close-other" : "close-candidate";
}
