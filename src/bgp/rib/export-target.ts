/** What exporting is about: who is told, of what, and what comes of it. */

import type { IpAddress, Ipv4 } from "../../lib/index.ts";
import type { Policy } from "../policy/index.ts";
import type { PeerConfig, Role } from "../types.ts";
import type { Identity } from "./path.ts";
import type { Told } from "./telling.ts";

/** Attributes ready to send, and the next hop for MP_REACH_NLRI. */
export interface OutgoingAttributes {
  readonly bytes: Uint8Array;
  readonly nextHop: IpAddress;
}

/** An originated route without its prefix; one object for all that are alike. */
export interface Origination {
  readonly kind: "originated";
  readonly nextHop: IpAddress | undefined;
  readonly communities: readonly number[];
  /** Encoded. */
  readonly largeCommunities: Uint8Array | undefined;
  readonly med: number | undefined;
  readonly device: string | undefined;
  /** A place for whoever exports it. */
  told: Told | undefined;
}

export interface ExportTarget {
  readonly peerType: "ibgp" | "ebgp";
  readonly peerAddress: IpAddress;
  /** As in {@link Source}. */
  readonly peerDevice?: string | undefined;
  readonly peerRouterId: Ipv4;
  readonly localAddress: IpAddress | undefined;
  readonly routeReflectorClient: boolean;
  readonly nextHop: NonNullable<PeerConfig["nextHop"]>;
  readonly fourOctetAs: boolean;
  /** IPv4 routes may be told with IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean;
  /** Ours towards the peer (RFC 9234). */
  readonly role: Role | undefined;
  readonly identity: Identity;
  readonly policy: Policy;
  /** How many paths to a prefix, where the session carries several (RFC 7911). */
  readonly maximumPaths: number;
  /**
   * What the peer is told of routes kept for longer (RFC 9494 section 4): one that knows of it all, others
   * nothing, or that they are the last resort.
   */
  readonly longLivedStale: "tell" | "hide" | "last-resort";
}
