/**
 * What the speaker tells about its tables when it is asked: `Speaker.why`, `adjRibIn`, `adjRibOut`,
 * `locRib`. Plain data made on demand; nothing of it is kept, nor costs anything while nobody asks.
 */

import type { IpAddress, Ipv4, Prefix } from "../lib/index.ts";
import type { LargeCommunity, LearnedRoute } from "./types.ts";

/**
 * A step of the decision process, in the order in which they are taken:
 * - `long-lived-stale`: any other rather than one kept for a peer that has been away for long, here or
 *   elsewhere (LLGR_STALE, RFC 9494 section 4);
 * - `local-pref`: the higher LOCAL_PREF (RFC 4271 section 9.1.1; 100 where there is none);
 * - `as-path-length`: the shorter AS_PATH (section 9.1.2.2 a);
 * - `origin`: `igp` before `egp` before `incomplete` (b);
 * - `med`: the lower MULTI_EXIT_DISC among paths from one neighbouring AS (c; 0 where there is none);
 * - `external`: learned from an external peer rather than an internal one (d);
 * - `router-id`: the lower BGP identifier of who brought it into the AS (f; ORIGINATOR_ID where there is
 *   one, RFC 4456 section 9);
 * - `cluster-list-length`: the shorter CLUSTER_LIST (RFC 4456 section 9);
 * - `peer-address`: the lower address of the peer (g);
 * - `path-id`: the lower path identifier, of two paths of one peer (RFC 7911).
 */
export type DecisionStep =
  | "long-lived-stale"
  | "local-pref"
  | "as-path-length"
  | "origin"
  | "med"
  | "external"
  | "router-id"
  | "cluster-list-length"
  | "peer-address"
  | "path-id";

/**
 * Why a path is known and not a candidate:
 * - `as-loop`: our AS stands in AS_PATH more often than it may (RFC 4271 section 9.1.2);
 * - `own-next-hop`: its next hop is our own end of the session (section 5.1.3);
 * - `own-originator`: ORIGINATOR_ID is our identifier (RFC 4456 section 8);
 * - `cluster-loop`: our cluster stands in CLUSTER_LIST (same);
 * - `role-leak`: by RFC 9234 section 5 it should not have been told to us;
 * - `import-policy`: a rule of the peer's import policy rejects it.
 */
export type Refusal =
  | "as-loop"
  | "own-next-hop"
  | "own-originator"
  | "cluster-loop"
  | "role-leak"
  | "import-policy";

/** A learned route with everything that is known of it. */
export interface RouteDetails extends LearnedRoute {
  readonly peerAddress: IpAddress;
  readonly peerRouterId: Ipv4;
  /** RFC 7911; absent where the session has none. */
  readonly pathId?: number;
  readonly originatorId?: Ipv4;
  readonly clusterList: readonly Ipv4[];
  readonly atomicAggregate: boolean;
  readonly aggregator?: { readonly as: number; readonly address: Ipv4 };
  /** RFC 9234. */
  readonly onlyToCustomer?: number;
}

/** A route of an Adj-RIB-in: as the peer told it, before the import policy. */
export interface ReceivedRoute extends RouteDetails {
  /** Absent: it is a candidate of the decision process. */
  readonly refused?: Refusal;
}

/** A route of an Adj-RIB-out: as this speaker last told it to the peer. */
export interface SentRoute {
  readonly prefix: Prefix;
  /** RFC 7911; absent where the session has none. */
  readonly pathId?: number;
  readonly nextHop: IpAddress;
  readonly asPath: readonly number[];
  readonly origin: LearnedRoute["origin"];
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly number[];
  readonly largeCommunities: readonly LargeCommunity[];
  readonly extendedCommunities: readonly bigint[];
  readonly originatorId?: Ipv4;
  readonly clusterList: readonly Ipv4[];
  readonly onlyToCustomer?: number;
}

/** What has become of one path. */
export type Verdict =
  | { readonly kind: "best" }
  /** Used together with the best (`SpeakerConfig.multipath`). */
  | { readonly kind: "equal" }
  | {
      readonly kind: "lost";
      readonly step: DecisionStep;
      /** What the step compared: this path's, and that of the path it lost to. */
      readonly value: number | string;
      readonly otherValue: number | string;
      /** Name of the peer of the path it lost to: the best one, but for `med`. */
      readonly to: string;
    }
  | {
      readonly kind: "refused";
      readonly refusal: Refusal;
      /** Of `import-policy`: which of the peer's rules, counted from 0. */
      readonly rule?: number;
    };

export interface ExplainedPath {
  /** Of a candidate as the decision process saw it, after the import policy; of a refused one as told. */
  readonly route: RouteDetails;
  readonly verdict: Verdict;
}

/**
 * Why a peer is not told of a route:
 * - `no-session`: none is Established;
 * - `family`: the session does not carry it;
 * - `own`: it was learned from this peer;
 * - `internal`: learned from an internal peer, it goes to no other one but for reflection (RFC 4456 section 6);
 * - `originator`: ORIGINATOR_ID is the peer's identifier;
 * - `community`: it carries one that forbids it (RFC 1997);
 * - `role`: RFC 9234 section 5 forbids it;
 * - `long-lived-stale`: the peer does not know RFC 9494;
 * - `next-hop`: there is no address of the family to tell as next hop;
 * - `export-policy`: a rule of the peer's export policy rejects it;
 * - `waiting`: nothing keeps it back, it has not gone out yet.
 */
export interface Withheld {
  readonly by:
    | "no-session"
    | "family"
    | "own"
    | "internal"
    | "originator"
    | "community"
    | "role"
    | "long-lived-stale"
    | "next-hop"
    | "export-policy"
    | "waiting";
  /** Of `export-policy`: which of the peer's rules, counted from 0. */
  readonly rule?: number;
}

/** A peer, and why it has not been told of the route; absent: it has. */
export interface ToldPeer {
  readonly peer: string;
  readonly withheld?: Withheld;
}

/** Everything known about the routes to one prefix, exactly this one. */
export interface RouteExplanation {
  readonly prefix: Prefix;
  /** We originate the prefix: peers are told that, whatever was learned. */
  readonly originated: boolean;
  /** Of all peers: the best first, then the other candidates, then the refused ones. */
  readonly paths: readonly ExplainedPath[];
  /** All peers, where there is a route to tell of. */
  readonly told: readonly ToldPeer[];
}

/** Which routes to tell of; all when absent. */
export interface RouteQuery {
  readonly prefix: Prefix;
  /**
   * `exact`: the prefix alone; `within`: it and all inside it; `covering`: it and all it is inside of,
   * the longest first (of a /32 or /128: what its packets could take). `exact` unless told.
   */
  readonly match?: "exact" | "within" | "covering";
}

/**
 * Routes in pages, each made when it is asked for and looking at no more than a thousand prefixes, so
 * that one may be empty with more to come: let the event loop run between two. Routes that change
 * meanwhile are told of as they are when their page is made; none is told of twice.
 */
export type RoutePages<R> = Generator<readonly R[], void>;
