/**
 * What a peer is told about a route, if anything: the rules of RFC 4271 sections 5.1 and 9.1.3, RFC 1997
 * and RFC 4456, then the peer's export policy. Results are shared between routes and compared by `===`.
 */

import { familyOf, type IpAddress, type Ipv4, isIpv4 } from "../../lib/index.ts";
import type { Policy } from "../policy/index.ts";
import type { OriginatedRoute, PeerConfig, PolicyRule, Role } from "../types.ts";
import {
  bytesToKey,
  encodeAttributes,
  encodeLargeCommunities,
  type PathAttributes,
  type PrefixKey,
  prependAs,
  transitiveCommunities,
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
}

const DEFAULT_LOCAL_PREF = 100;
const MAXIMUM_INTERNED = 65_536;

type MadeTable = WeakMap<object, Map<PolicyRule | undefined, OutgoingAttributes | undefined>>;

/** One for each session: what it has interned is compared with what was sent in it. */
export class Exporter {
  readonly #target: ExportTarget;
  /** An originated set may be shared by both families, its next hop fits one. */
  readonly #made4: MadeTable = new WeakMap();
  readonly #made6: MadeTable = new WeakMap();
  readonly #interned = new Map<string, OutgoingAttributes>();

  constructor(target: ExportTarget) {
    this.#target = target;
  }

  /** False only for what {@link export} refuses whatever the prefix: internal routes to internal peers. */
  mayExport(route: Origination | Path): boolean {
    if ("kind" in route || route.source.peerType === "ebgp") return true;
    const { peerType, routeReflectorClient } = this.#target;
    return peerType === "ebgp" || routeReflectorClient || route.source.routeReflectorClient;
  }

  /** `undefined`: the peer is not told of this route. */
  export(key: PrefixKey, route: Origination | Path): OutgoingAttributes | undefined {
    const source = "kind" in route ? "originated" : route.source.peerType;
    const rule = this.#target.policy(key, source);
    if (rule?.action === "reject") return undefined;
    const ipv4 = typeof key === "number";
    const made = ipv4 ? this.#made4 : this.#made6;
    let byRule = made.get(route);
    if (byRule === undefined) {
      byRule = new Map();
      made.set(route, byRule);
    }
    if (!byRule.has(rule)) byRule.set(rule, this.#make({ route, rule, ipv4 }));
    return byRule.get(rule);
  }

  #make(parts: {
    route: Origination | Path;
    rule: PolicyRule | undefined;
    ipv4: boolean;
  }): OutgoingAttributes | undefined {
    const { route, rule, ipv4 } = parts;
    const { peerType, role, identity } = this.#target;
    const made = "kind" in route ? this.#originated(route) : this.#learned(route);
    const attributes = made && toldByRole(made, { role, peerType, localAs: identity.as });
    if (attributes === undefined || !this.#fits(attributes.nextHop, ipv4)) return undefined;
    const { localPref, ...rest } = { ...attributes, ...rule?.set };
    const internal = this.#target.peerType === "ibgp";
    return this.#intern(internal ? { ...rest, localPref: localPref ?? DEFAULT_LOCAL_PREF } : rest);
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
    return target.peerType === "ibgp" ? this.#toInternal(path) : this.#toExternal(attributes);
  }

  #toExternal(attributes: PathAttributes): PathAttributes | undefined {
    const { originatorId: _, clusterList: __, med: ___, localPref: ____, ...more } = attributes;
    const { extendedCommunities, ...rest } = more;
    const { nextHop, localAddress } = this.#target;
    const chosen = nextHop === "keep" ? attributes.nextHop : localAddress;
    if (chosen === undefined) return undefined;
    const crossing = extendedCommunities && transitiveCommunities(extendedCommunities);
    return {
      ...rest,
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
    const bytes = encodeAttributes(attributes, this.#target);
    const { nextHop } = attributes;
    const key = `${typeof nextHop === "number" ? "" : nextHop}|${bytesToKey(bytes)}`;
    let outgoing = this.#interned.get(key);
    if (outgoing === undefined) {
      if (this.#interned.size >= MAXIMUM_INTERNED) this.#interned.clear();
      outgoing = { bytes, nextHop };
      this.#interned.set(key, outgoing);
    }
    return outgoing;
  }
}

/** Equal routes give the identical object, so that an unchanged route is seen to be unchanged. */
export class Originations {
  readonly #known = new Map<string, Origination>();

  of(route: OriginatedRoute): Origination {
    const { nextHop, communities = [], largeCommunities: large = [], med } = route;
    const key = `${nextHop === undefined ? "" : `${familyOf(nextHop)}:${nextHop}`}|${communities.join()}|${large.join(";")}|${med ?? ""}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const largeCommunities = large.length > 0 ? encodeLargeCommunities(large) : undefined;
      known = { kind: "originated", nextHop, communities, largeCommunities, med };
      this.#known.set(key, known);
    }
    return known;
  }
}
