/** What is told of peers and their sessions: states, counts, how sessions ended, who was refused. */

import type { IpAddress, Ipv4 } from "../lib/index.ts";
import type { AddressFamily } from "./types.ts";

export interface BfdStatus {
  readonly state: "AdminDown" | "Down" | "Init" | "Up";
  /** Milliseconds since the epoch at which `state` was entered. */
  readonly sinceMs: number;
  /** Why it was Up and is not, as RFC 5880 section 4.1 names it. */
  readonly diagnostic: string;
}

export type SessionState =
  | "Idle"
  | "Connect"
  | "Active"
  | "OpenSent"
  | "OpenConfirm"
  | "Established";

export interface PeerStatus {
  readonly name: string;
  readonly address: IpAddress;
  readonly remoteAs: number;
  readonly state: SessionState;
  /** Milliseconds since the epoch at which `state` was entered. */
  readonly sinceMs: number;
  /** What ended the last session, in words; empty if nothing did. */
  readonly lastError: string;
  readonly routesReceived: number;
  readonly routesSent: number;
  /** End-of-RIB was received in this session for every family (RFC 4724 section 2). */
  readonly endOfRib: boolean;
  /** Routes of the last session are kept while the peer restarts. */
  readonly gracefulRestart: boolean;
  /** They are kept for longer than that (RFC 9494), of one family at least; absent when not. */
  readonly longLivedRestart?: true;
  /** Of the path to the peer, once it had a session; absent where BFD is not configured. */
  readonly bfd?: BfdStatus;
  /** Negotiated, seconds; 0 outside Established. */
  readonly holdTimeSeconds: number;
}

/** Messages that came or went, by type, since the peer was configured. */
export interface MessageCounts {
  readonly open: number;
  readonly update: number;
  readonly notification: number;
  readonly keepalive: number;
  readonly routeRefresh: number;
  /** Of all of them, headers included. */
  readonly bytes: number;
}

/** Who is behind the end of a session. */
export type EndedBy = "us" | "peer" | "network";

/** How a session ended, or how an attempt at one failed. */
export interface SessionEnd {
  /** Milliseconds since the epoch; of the last, where the same came several times. */
  readonly atMs: number;
  readonly firstMs: number;
  /** 1, but for attempts that failed in the same way. */
  readonly times: number;
  readonly by: EndedBy;
  /** How far it had come. */
  readonly from: SessionState;
  /** How long the session was Established; absent where it never was. */
  readonly establishedMs?: number;
  /** Short, one of a bounded number: a NOTIFICATION as IANA names it, or what became of TCP. */
  readonly name: string;
  /** In words, all that is known. */
  readonly reason: string;
}

/** How many Established sessions ended so. */
export interface SessionEndCount {
  readonly by: EndedBy;
  readonly name: string;
  readonly count: number;
}

/** What is known of a peer beyond its status; costs something to make. */
export interface PeerDetails extends PeerStatus {
  readonly localAs: number;
  readonly passive: boolean;
  readonly port: number;
  /** What two OPENs agreed on; absent outside of Established. */
  readonly session?: {
    readonly peerType: "ibgp" | "ebgp";
    readonly peerRouterId: Ipv4;
    readonly localAddress?: IpAddress;
    readonly keepaliveSeconds: number;
    readonly families: readonly AddressFamily[];
    /** What both can do, by short names. */
    readonly capabilities: readonly string[];
  };
  /** Of `routesReceived`, those that are candidates of the decision process. */
  readonly routesAccepted: number;
  /** Prefixes that may have to be told yet. */
  readonly routesWaiting: number;
  readonly received: MessageCounts;
  readonly sent: MessageCounts;
  /** UPDATEs with errors that RFC 7606 lets pass. */
  readonly malformed: number;
  /** Milliseconds since the epoch of the last message that came; 0: none did. */
  readonly lastReceivedMs: number;
  /** Sessions that were Established. */
  readonly established: number;
  readonly endCounts: readonly SessionEndCount[];
  /** The last ten, the latest first. */
  readonly ends: readonly SessionEnd[];
}

/** Connections from addresses that are no peer's. */
export interface RefusedConnections {
  readonly total: number;
  /** The last few addresses, the latest first, since each was last forgotten. */
  readonly recent: readonly {
    readonly address: IpAddress;
    readonly count: number;
    /** Milliseconds since the epoch. */
    readonly lastMs: number;
  }[];
  /** Since the speaker has started; absent where the transport cannot tell. */
  readonly signatures?: SignatureFailures;
}

/** TCP segments that the kernel has dropped for their signature (RFC 2385), whoever sent them. */
export interface SignatureFailures {
  /** Of another key. */
  readonly wrong: number;
  /** None, where a key is set. */
  readonly missing: number;
  /** One, where no key is set. */
  readonly unexpected: number;
}
