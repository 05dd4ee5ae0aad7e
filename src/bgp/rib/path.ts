/**
 * A path: attributes as learned from one peer in one session. One object for all routes of a session
 * that share their attributes; tables map prefixes to paths.
 */

import type { IpAddress, Ipv4 } from "../../lib/index.ts";
import { changeAttributes } from "../policy/index.ts";
import type { Role, RouteChanges } from "../types.ts";
import type { Refusal } from "../view-types.ts";
import {
  AttributeTable,
  asPathCount,
  asPathLength,
  bytesToKey,
  encodeAttributes,
  neighbourAs,
  type PathAttributes,
  wellKnownCommunity,
} from "../wire/index.ts";
import { takenByRole } from "./role.ts";
import type { Told } from "./telling.ts";

/** One session with a peer, as far as its routes need to know. */
export interface Source {
  /** Of the configured peer; never used again, so that a late sweep cannot hit a successor's routes. */
  readonly peerId: number;
  /** Changes with the configuration. */
  peer: string;
  readonly peerType: "ibgp" | "ebgp";
  readonly remoteAs: number;
  /** Ours towards the peer (RFC 9234). */
  readonly role: Role | undefined;
  readonly peerAddress: IpAddress;
  /** The device it is reached by, where its address is link-local. */
  readonly peerDevice?: string | undefined;
  readonly peerRouterId: Ipv4;
  /** Our end; a route whose next hop this is, is of no use. */
  readonly localAddress: IpAddress | undefined;
  readonly routeReflectorClient: boolean;
  /** The session is over and the peer expected back (RFC 4724): all its routes at once. */
  stale: boolean;
}

export interface Path {
  readonly source: Source;
  readonly attributes: PathAttributes;
  /** Why it is kept in Adj-RIB-in and never selected (RFC 4271 section 9.1.2, RFC 4456 section 8). */
  readonly refusal: Refusal | undefined;
  /** RFC 7911; 0 where the session has none. */
  readonly pathId: number;
  /** It carries LLGR_STALE (RFC 9494). */
  readonly longLivedStale: boolean;
  readonly localPref: number;
  readonly asPathLength: number;
  readonly neighbourAs: number;
  /** A place for whoever exports it. */
  told: Told | undefined;
}

const DEFAULT_LOCAL_PREF = 100;

export interface PathParts {
  readonly source: Source;
  readonly attributes: PathAttributes;
  readonly identity: Identity;
  /** How often our AS may stand in the path (RFC 4271 section 9.1.2: not at all); 0 unless told. */
  readonly allowedLocalAs?: number;
  readonly pathId?: number;
}

export interface Identity {
  readonly as: number;
  readonly routerId: Ipv4;
  /** RFC 4456 section 7. */
  readonly clusterId: Ipv4;
}

export function makePath(parts: PathParts): Path {
  const { source } = parts;
  const { peerType, remoteAs, role } = source;
  const taken = takenByRole(parts.attributes, { role, peerType, remoteAs });
  const attributes = taken ?? parts.attributes;
  return {
    source,
    attributes,
    refusal: taken === undefined ? "role-leak" : refusalOf(parts),
    pathId: parts.pathId ?? 0,
    ...ranks(attributes),
    told: undefined,
  };
}

/** What the decision compares, kept at hand. */
function ranks({ localPref = DEFAULT_LOCAL_PREF, asPath, communities = [] }: PathAttributes) {
  return {
    longLivedStale: communities.includes(wellKnownCommunity.longLivedStale),
    localPref,
    asPathLength: asPathLength(asPath),
    neighbourAs: neighbourAs(asPath),
  };
}

function refusalOf(parts: PathParts): Refusal | undefined {
  const { source, attributes, identity, allowedLocalAs = 0 } = parts;
  const { as, routerId, clusterId } = identity;
  if (asPathCount(attributes.asPath, as) > allowedLocalAs) return "as-loop";
  if (attributes.nextHop === source.localAddress) return "own-next-hop";
  if (source.peerType === "ebgp") return undefined;
  if (attributes.originatorId === routerId) return "own-originator";
  return attributes.clusterList?.includes(clusterId) ? "cluster-loop" : undefined;
}

/** Paths as policy changes them: equal changes of one path are one path, equal attributes one object. */
export class PathVariants {
  #variants = new WeakMap<Path, Map<RouteChanges, Path>>();
  readonly #attributes = new AttributeTable();

  /** Bound, so that it can be handed to a policy as it is. */
  readonly apply = (path: Path, changes: RouteChanges): Path => {
    let byChanges = this.#variants.get(path);
    if (byChanges === undefined) {
      byChanges = new Map();
      this.#variants.set(path, byChanges);
    }
    let variant = byChanges.get(changes);
    if (variant === undefined) {
      variant = this.#make(path, changes);
      byChanges.set(changes, variant);
    }
    return variant;
  };

  /** The rules are others now. Attributes stay known: by them is seen what has not changed. */
  forgetRules(): void {
    this.#variants = new WeakMap();
  }

  #make(path: Path, changes: RouteChanges): Path {
    const changed = changeAttributes(path.attributes, changes);
    if (changed === path.attributes) return path;
    const key = attributesKey(changed);
    const attributes = this.#attributes.get(key) ?? this.#attributes.add(key, changed);
    return { ...path, attributes, ...ranks(attributes), told: undefined };
  }
}

function attributesKey(attributes: PathAttributes): string {
  const { nextHop } = attributes;
  const bytes = encodeAttributes(attributes, { fourOctetAs: true });
  return `${typeof nextHop === "number" ? "" : nextHop}|${bytesToKey(bytes)}`;
}

const markStale: RouteChanges = { communities: { add: [wellKnownCommunity.longLivedStale] } };

/** As it is kept for longer; `undefined` for one that is not to be (RFC 9494 section 4.2). */
export function longLivedStale(path: Path, variants: PathVariants): Path | undefined {
  const { communities = [] } = path.attributes;
  if (communities.includes(wellKnownCommunity.noLongLived)) return undefined;
  return variants.apply(path, markStale);
}
