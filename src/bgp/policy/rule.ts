/** Rules over routes, as data: what a rule asks of a route, and what becomes of one that matches. */

import type { IpAddress, Prefix } from "../../lib/index.ts";
import type { LargeCommunity } from "../types.ts";

export type RouteSource = "originated" | "ibgp" | "ebgp";

export interface PrefixMatch {
  readonly prefix: Prefix;
  /** Shortest and longest length matched inside `prefix`; its own length and the maximum unless told. */
  readonly minimumLength?: number;
  readonly maximumLength?: number;
}

/**
 * Matches a route of which everything holds that the rule names. In a policy rules are asked in order
 * until one accepts or rejects; a route that none does is accepted.
 */
export interface PolicyRule {
  /** The prefix is covered by one of these. A long list costs little more than a short one. */
  readonly prefixes?: readonly PrefixMatch[];
  /** The prefix is covered by none of these. */
  readonly notPrefixes?: readonly PrefixMatch[];
  /** Where the route comes from; `learned`: `ibgp` or `ebgp`. */
  readonly source?: RouteSource | "learned";
  /** What the peer is whose policy this is. */
  readonly peerType?: "ibgp" | "ebgp";
  /** It carries all of these (RFC 1997). */
  readonly communities?: readonly number[];
  /** It carries all of these (RFC 8092). */
  readonly largeCommunities?: readonly LargeCommunity[];
  /** Its AS path begins with these. On export to an external peer our own AS stands first already. */
  readonly asPathPrefix?: readonly number[];
  /** All of these stand in its AS path. */
  readonly asPathContains?: readonly number[];
  /**
   * Its next hop is in one of these: on import as the rules before have left it, on export with what it is in
   * the Loc-RIB, before ours may stand in for it.
   */
  readonly nextHops?: readonly Prefix[];
  /** Its LOCAL_PREF; 100 where it has none. */
  readonly localPref?: number;
  /** It is originated, with a `device` that one of these patterns matches; `*` stands for any characters. */
  readonly devices?: readonly string[];
  /** `continue`: what is set is set, and the next rule is asked, which sees it. */
  readonly action: "accept" | "reject" | "continue";
  readonly set?: RouteChanges;
}

export interface RouteChanges {
  /** Towards an external peer seen by further rules only: it is not sent there. */
  readonly localPref?: number;
  readonly med?: number;
  /** Of an IPv6 route only another IPv6 address. */
  readonly nextHop?: IpAddress;
  /** LLGR_STALE stays whatever is said here (RFC 9494 section 4.3). */
  readonly communities?: ListChanges<number>;
  readonly largeCommunities?: ListChanges<LargeCommunity>;
  /** The path then begins with these, in this order, even before our own AS. */
  readonly prependAsPath?: readonly number[];
}

/** Done in this order. */
export interface ListChanges<T> {
  /** The list is to be this. */
  readonly replace?: readonly T[];
  readonly remove?: readonly T[];
  readonly add?: readonly T[];
}
