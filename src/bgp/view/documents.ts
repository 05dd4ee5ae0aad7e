/** The JSON of `/bgp/…`: addresses and prefixes as text, times as RFC 3339. */

import type {
  AddressFamily,
  EndedBy,
  MessageCounts,
  Refusal,
  SessionEndCount,
  SessionState,
  SignatureFailures,
  Withheld,
} from "../index.ts";

export interface PeersDocument {
  readonly localAs: number;
  readonly routerId: string;
  /** The configuration was changed, and this keeps it from being used; absent where nothing does. */
  readonly configurationError?: string;
  readonly peers: readonly PeerDocument[];
  /** Connections from addresses that are no peer's: how many, and the last few addresses. */
  readonly refused: {
    readonly total: number;
    readonly recent: readonly {
      readonly address: string;
      readonly count: number;
      readonly last: string;
    }[];
    /** Segments that the kernel dropped for their TCP MD5 signature, since the start. */
    readonly signatures?: SignatureFailures;
  };
}

export interface PeerDocument {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly remoteAs: number;
  readonly localAs: number;
  /** Why it is a peer, where a program above the speaker has decided so. */
  readonly type?: string;
  readonly passive: boolean;
  readonly state: SessionState;
  readonly since: string;
  /** Of the last failure, in words; empty where there was none. */
  readonly lastError: string;
  /** Absent outside of Established. */
  readonly session?: {
    readonly peerType: "ibgp" | "ebgp";
    readonly routerId: string;
    readonly localAddress?: string;
    readonly holdTimeSeconds: number;
    readonly keepaliveSeconds: number;
    readonly families: readonly AddressFamily[];
    readonly capabilities: readonly string[];
    /** It has told all it knew when the session began. */
    readonly endOfRib: boolean;
  };
  /** Of the path to it (RFC 5880), where that is watched. */
  readonly bfd?: { readonly state: string; readonly since: string; readonly diagnostic: string };
  /** Routes of the last session are kept for it while it restarts. */
  readonly keptForRestart: boolean;
  /** For longer than that, as a last resort (RFC 9494). */
  readonly keptForLonger?: true;
  readonly routes: {
    readonly received: number;
    readonly accepted: number;
    readonly sent: number;
    readonly waiting: number;
  };
  readonly messages: { readonly received: MessageCounts; readonly sent: MessageCounts };
  readonly malformed: number;
  readonly lastReceived?: string;
  readonly sessionsEstablished: number;
  readonly sessionsEnded: readonly SessionEndCount[];
  /** The latest first. */
  readonly history: readonly EndDocument[];
}

export interface EndDocument {
  readonly at: string;
  /** Where it came more than once. */
  readonly first?: string;
  readonly times: number;
  readonly by: EndedBy;
  readonly from: SessionState;
  readonly establishedSeconds?: number;
  readonly name: string;
  readonly reason: string;
}

export type RouteTable = "best" | "in" | "out";

/** One line of `/bgp/routes`. */
export interface RouteDocument {
  readonly prefix: string;
  readonly table: RouteTable;
  /** Whom it came from, or who was told. */
  readonly peer: string;
  readonly peerType?: "ibgp" | "ebgp";
  readonly nextHop: string;
  /** Of the best: all that are used together, this one first; absent where it is alone. */
  readonly nextHops?: readonly string[];
  readonly asPath: readonly number[];
  readonly origin: "igp" | "egp" | "incomplete";
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  readonly extendedCommunities: readonly string[];
  readonly originatorId?: string;
  readonly clusterList: readonly string[];
  readonly onlyToCustomer?: number;
  readonly pathId?: number;
  readonly stale?: boolean;
  /** Why it is no candidate. */
  readonly refused?: Refusal;
}

export interface WhyDocument {
  readonly prefix: string;
  readonly originated: boolean;
  readonly paths: readonly (RouteDocument & {
    readonly verdict: "best" | "used" | "lost" | "refused";
    /** The step of the decision process, or why it is refused. */
    readonly by?: string;
    readonly words: string;
  })[];
  /** Peers that have been told of the route. */
  readonly told: readonly string[];
  /** The others, by what keeps it back. */
  readonly withheld: readonly {
    readonly by: Withheld["by"];
    readonly words: string;
    readonly peers: readonly string[];
  }[];
}

export interface MessageDocument {
  readonly at: string;
  readonly sent: boolean;
  /** Which TCP connection of the peer, counted. */
  readonly connection: number;
  readonly incoming: boolean;
  readonly type: string;
  readonly bytes: number;
  readonly words: string;
  /** The message, header included. */
  readonly hex: string;
}
