/**
 * What a peer is told about a route, if anything: the rules of RFC 4271 sections 5.1 and 9.1.3, RFC 1997
 * and RFC 4456, then the peer's export policy. Results are shared between routes and compared by `===`.
 */

import { familyOf, type IpAddress, type Ipv4, isIpv4 } from "../../lib/index.ts";
import { changeAttributes, type Policy } from "../policy/index.ts";
import type { OriginatedRoute, PeerConfig, Role, RouteChanges, RouteSource } from "../types.ts";
import {
  bytesToKey,
  encodeLargeCommunities,
  type PathAttributes,
  type PrefixKey,
  prependAs,
  transitiveCommunities,
  viewAttributes,
  wellKnownCommunity,
} from "../wire/index.ts";
import type { Identity, Path } from "./path.ts";
import { toldByRole } from "./role.ts";

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
}

export interface ExportTarget {
  readonly peerType: "ibgp" | "ebgp";
  readonly peerAddress: IpAddress;
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

const DEFAULT_LOCAL_PREF = 100;
const MAXIMUM_INTERNED = 65_536;

/** A route as the peer would be told of it, before and after policy. One object for routes that are alike. */
interface Telling {
  readonly attributes: PathAttributes;
  readonly learnedNextHop: IpAddress | undefined;
  readonly device: string | undefined;
  /** What policy makes of it. */
  readonly variants: Map<RouteChanges, Telling>;
  readonly source: RouteSource;
  /** Encoded for an IPv4 route, for an IPv6 route; `null`: it cannot be told, `undefined`: not made yet. */
  outgoing4: OutgoingAttributes | null | undefined;
  outgoing6: OutgoingAttributes | null | undefined;
}

/** What was sent in a session: kept through changes of policy, to see what has not changed by them. */
export type SentAttributes = Map<string, OutgoingAttributes>;

/** One for each session and policy: what it has interned is compared with what was sent in the session. */
export class Exporter {
  readonly #target: ExportTarget;
  /** `null`: whatever the policy, the peer is not told. */
  readonly #tellings = new WeakMap<object, Telling | null>();
  readonly #interned: SentAttributes;
  #last: { readonly route: object | undefined; readonly telling: Telling | null } = {
    ...{ route: undefined, telling: null },
  };

  constructor(target: ExportTarget, sent: SentAttributes = new Map()) {
    this.#target = target;
    this.#interned = sent;
  }

  /** False only for what {@link export} refuses whatever the prefix: the peer's own, internal to internal. */
  mayExport(route: Origination | Path): boolean {
    if ("kind" in route) return true;
    const { peerType, peerAddress, routeReflectorClient } = this.#target;
    if (route.source.peerAddress === peerAddress) return false;
    if (route.source.peerType === "ebgp") return true;
    return peerType === "ebgp" || routeReflectorClient || route.source.routeReflectorClient;
  }

  /** `undefined`: the peer is not told of this route. */
  export(key: PrefixKey, route: Origination | Path): OutgoingAttributes | undefined {
    const telling = this.#telling(route);
    if (telling === null) return undefined;
    const told = this.#target.policy.apply(key, telling.source, telling, changeTelling);
    if (told === undefined) return undefined;
    if (typeof key === "number") {
      told.outgoing4 ??= told.outgoing4 === null ? null : this.#encode(told.attributes, true);
      return told.outgoing4 ?? undefined;
    }
    told.outgoing6 ??= told.outgoing6 === null ? null : this.#encode(told.attributes, false);
    return told.outgoing6 ?? undefined;
  }

  #telling(route: Origination | Path): Telling | null {
    // Prefixes come in the order in which they were told: many of one path after the other.
    if (this.#last.route === route) return this.#last.telling;
    let telling = this.#tellings.get(route);
    if (telling === undefined) {
      telling = this.#tell(route);
      this.#tellings.set(route, telling);
    }
    this.#last = { route, telling };
    return telling;
  }

  #tell(route: Origination | Path): Telling | null {
    const originated = "kind" in route;
    const made = originated ? this.#originated(route) : this.#learned(route);
    const { role, peerType, identity } = this.#target;
    const attributes = made && toldByRole(made, { role, peerType, localAs: identity.as });
    if (attributes === undefined) return null;
    return makeTelling({
      attributes,
      learnedNextHop: originated ? undefined : route.attributes.nextHop,
      device: originated ? route.device : undefined,
      source: originated ? "originated" : route.source.peerType,
    });
  }

  /** An originated set may be shared by both families, its next hop fits one. */
  #encode(attributes: PathAttributes, ipv4: boolean): OutgoingAttributes | null {
    if (!this.#fits(attributes.nextHop, ipv4)) return null;
    if (this.#target.peerType === "ibgp") return this.#intern(attributes);
    const { localPref: _, ...rest } = attributes;
    return this.#intern(rest);
  }

  #fits(nextHop: IpAddress, ipv4: boolean): boolean {
    if (isIpv4(nextHop)) return ipv4;
    return !ipv4 || this.#target.extendedNextHop;
  }

  #originated(route: Origination): PathAttributes | undefined {
    const { nextHop, peerAddress, localAddress } = {
      ...this.#target,
      nextHop: route.nextHop,
    };
    if (this.#forbidden(route.communities)) return undefined;
    const self = this.#target.nextHop === "self";
    // RFC 4271 section 5.1.3: never the peer's own address.
    const usable = nextHop !== undefined && nextHop !== peerAddress && !self;
    const chosen = usable ? nextHop : localAddress;
    if (chosen === undefined) return undefined;
    return {
      origin: "igp",
      asPath: this.#path([]),
      nextHop: chosen,
      localPref: DEFAULT_LOCAL_PREF,
      communities: route.communities,
      ...(route.largeCommunities ? { largeCommunities: route.largeCommunities } : {}),
      ...(route.med === undefined ? {} : { med: route.med }),
    };
  }

  #learned(path: Path): PathAttributes | undefined {
    const target = this.#target;
    const { source, attributes } = path;
    // By the address, which is unique, and stays when a peer is given another name.
    if (
      source.peerAddress === target.peerAddress ||
      this.#forbidden(attributes.communities ?? [])
    ) {
      return undefined;
    }
    const told = target.peerType === "ibgp" ? this.#toInternal(path) : this.#toExternal(path);
    return told && path.longLivedStale ? this.#stale(told) : told;
  }

  #stale(told: PathAttributes): PathAttributes | undefined {
    const { longLivedStale, peerType } = this.#target;
    if (longLivedStale === "tell") return told;
    if (longLivedStale === "hide" || peerType === "ebgp") return undefined;
    const { noExport } = wellKnownCommunity;
    const others = (told.communities ?? []).filter((community) => community !== noExport);
    return { ...told, localPref: 0, communities: [...others, noExport] };
  }

  #toExternal({ attributes, localPref }: Path): PathAttributes | undefined {
    const { originatorId: _, clusterList: __, med: ___, ...more } = attributes;
    const { extendedCommunities, ...rest } = more;
    const { nextHop, localAddress } = this.#target;
    const chosen = nextHop === "keep" ? attributes.nextHop : localAddress;
    if (chosen === undefined) return undefined;
    const crossing = extendedCommunities && transitiveCommunities(extendedCommunities);
    return {
      ...rest,
      localPref,
      asPath: this.#path(attributes.asPath),
      nextHop: chosen,
      ...(crossing ? { extendedCommunities: crossing } : {}),
    };
  }

  #toInternal({ source, attributes, localPref }: Path): PathAttributes | undefined {
    const { nextHop, localAddress, identity, peerRouterId, routeReflectorClient } = this.#target;
    const chosen = nextHop === "self" ? localAddress : attributes.nextHop;
    if (chosen === undefined) return undefined;
    const kept = { ...attributes, localPref, nextHop: chosen };
    if (source.peerType === "ebgp") return kept;
    // RFC 4456 section 6: between internal peers only from or to a client.
    if (!source.routeReflectorClient && !routeReflectorClient) return undefined;
    const originatorId = attributes.originatorId ?? source.peerRouterId;
    if (originatorId === peerRouterId) return undefined;
    const clusterList = [identity.clusterId, ...(attributes.clusterList ?? [])];
    return { ...kept, originatorId, clusterList };
  }

  #path(path: PathAttributes["asPath"]): PathAttributes["asPath"] {
    const { peerType, identity } = this.#target;
    return peerType === "ebgp" ? prependAs(path, identity.as) : path;
  }

  #forbidden(communities: readonly number[]): boolean {
    if (communities.includes(wellKnownCommunity.noAdvertise)) return true;
    if (this.#target.peerType === "ibgp") return false;
    return (
      communities.includes(wellKnownCommunity.noExport) ||
      communities.includes(wellKnownCommunity.noExportSubconfed)
    );
  }

  #intern(attributes: PathAttributes): OutgoingAttributes {
    const encoded = viewAttributes(attributes, this.#target);
    const { nextHop } = attributes;
    const key = `${typeof nextHop === "number" ? "" : nextHop}|${bytesToKey(encoded)}`;
    let outgoing = this.#interned.get(key);
    if (outgoing === undefined) {
      if (this.#interned.size >= MAXIMUM_INTERNED) this.#interned.clear();
      outgoing = { bytes: encoded.slice(), nextHop };
      this.#interned.set(key, outgoing);
    }
    return outgoing;
  }
}

type TellingParts = Pick<Telling, "attributes" | "learnedNextHop" | "device" | "source">;

function makeTelling(parts: TellingParts): Telling {
  return { ...parts, variants: new Map(), outgoing4: undefined, outgoing6: undefined };
}

function changeTelling(telling: Telling, changes: RouteChanges): Telling {
  let variant = telling.variants.get(changes);
  if (variant === undefined) {
    const attributes = changeAttributes(telling.attributes, changes);
    const { learnedNextHop, device, source } = telling;
    const changed = attributes !== telling.attributes;
    variant = changed ? makeTelling({ attributes, learnedNextHop, device, source }) : telling;
    telling.variants.set(changes, variant);
  }
  return variant;
}

/** Equal routes give the identical object, so that an unchanged route is seen to be unchanged. */
export class Originations {
  readonly #known = new Map<string, Origination>();

  of(route: OriginatedRoute): Origination {
    const { nextHop, communities = [], largeCommunities: large = [], med, device } = route;
    const key = `${nextHop === undefined ? "" : `${familyOf(nextHop)}:${nextHop}`}|${communities.join()}|${large.join(";")}|${med ?? ""}|${device ?? ""}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const largeCommunities = large.length > 0 ? encodeLargeCommunities(large) : undefined;
      known = { kind: "originated", nextHop, communities, largeCommunities, med, device };
      this.#known.set(key, known);
    }
    return known;
  }
}
