/** The last messages of a peer, as they were on the wire, and what it takes to read them. */

import type { IpAddress } from "../lib/index.ts";
import type { AddressFamily } from "./types.ts";

/** A TCP connection that kept messages went over. */
export interface KeptConnection {
  /** Unique among those of a peer. */
  readonly id: number;
  /** The peer dialled. */
  readonly incoming: boolean;
  readonly localAddress?: IpAddress;
  /** How its UPDATEs are to be read; of a connection that agreed on nothing, a guess. */
  readonly reading: KeptReading;
}

/** What two OPENs agreed on that UPDATEs do not say themselves. */
export interface KeptReading {
  /** AS numbers have four octets (RFC 6793). */
  readonly fourOctetAs: boolean;
  /** IPv4 routes may have IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean;
  /** Families whose NLRI come, and go, with path identifiers (RFC 7911). */
  readonly addPathReceive: readonly AddressFamily[];
  readonly addPathSend: readonly AddressFamily[];
}

/** A message as it was on the wire, header included. */
export interface KeptMessage {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** By this side; received otherwise. */
  readonly sent: boolean;
  readonly connection: KeptConnection;
  readonly bytes: Uint8Array;
}
