/**
 * What peers of one kind are told of a route alike: the rules of RFC 4271 sections 5.1 and 9.1.3, RFC 1997
 * and RFC 4456. It is made once for all of them, however many a mesh or a reflector has.
 */

import { familyOf, type IpAddress, type Ipv4, isIpv4 } from "../../lib/index.ts";
import { isLinkLocal } from "../place.ts";
import {
  AttributeTable,
  bytesToKey,
  type PathAttributes,
  prependAs,
  transitiveCommunities,
  viewAttributes,
  wellKnownCommunity,
} from "../wire/index.ts";
import type { ExportTarget, Origination, OutgoingAttributes } from "./export-target.ts";
import type { Path, Source } from "./path.ts";
import { toldByRole } from "./role.ts";
import { SharedUpdates } from "./shared-updates.ts";
import { makeTelling, type Telling } from "./telling.ts";

/** All by which what they are told differs, but for policy and for routes of their own. */
type GroupTarget = Omit<
  ExportTarget,
  "peerAddress" | "peerDevice" | "peerRouterId" | "policy" | "maximumPaths"
>;

const DEFAULT_LOCAL_PREF = 100;

/** Equal bytes and next hops give the identical object: what has not changed is seen by `===`. */
type Outgoing = AttributeTable<OutgoingAttributes>;

export class ExportGroup {
  readonly #target: GroupTarget;
  /** Of routes that another group was first to ask for. `null`: whatever the policy, they are not told. */
  readonly #tellings = new WeakMap<object, Telling | null>();
  readonly #tellingsToNextHop = new WeakMap<object, Telling | null>();
  readonly #outgoing: Outgoing;

  constructor(target: GroupTarget, outgoing: Outgoing) {
    this.#target = target;
    this.#outgoing = outgoing;
  }

  /** `toNextHop`: for the peer that is the next hop of a route of ours itself. */
  telling(route: Origination | Path, toNextHop: boolean): Telling | null {
    if (toNextHop) return this.#known(this.#tellingsToNextHop, route, true);
    const { told } = route;
    // A copy of a route brings what came of the other.
    if (told?.route === route && told.group === this) return told.telling;
    if (told?.route === route) return this.#known(this.#tellings, route, false);
    const telling = this.#tell(route, false);
    route.told = { route, group: this, telling };
    return telling;
  }

  #known(
    tellings: WeakMap<object, Telling | null>,
    route: Origination | Path,
    toNextHop: boolean,
  ): Telling | null {
    let telling = tellings.get(route);
    if (telling === undefined) {
      telling = this.#tell(route, toNextHop);
      tellings.set(route, telling);
    }
    return telling;
  }

  /** Which rule refuses what {@link telling} has `null` for. */
  refusal(route: Origination | Path): "community" | "long-lived-stale" | "next-hop" | "role" {
    const { communities = [] } = "kind" in route ? route : route.attributes;
    if (this.#forbidden(communities)) return "community";
    const { longLivedStale, localAddress } = this.#target;
    const stale = !("kind" in route) && route.longLivedStale;
    if (stale && longLivedStale !== "tell") return "long-lived-stale";
    return localAddress === undefined ? "next-hop" : "role";
  }

  encoded4(telling: Telling): OutgoingAttributes | undefined {
    if (telling.outgoing4 === undefined) {
      telling.outgoing4 = this.#encode(telling.attributes, true);
    }
    return telling.outgoing4 ?? undefined;
  }

  encoded6(telling: Telling): OutgoingAttributes | undefined {
    if (telling.outgoing6 === undefined) {
      telling.outgoing6 = this.#encode(telling.attributes, false);
    }
    return telling.outgoing6 ?? undefined;
  }

  #tell(route: Origination | Path, toNextHop: boolean): Telling | null {
    const originated = "kind" in route;
    const made = originated ? this.#originated(route, toNextHop) : this.#learned(route);
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

  #originated(route: Origination, toNextHop: boolean): PathAttributes | undefined {
    if (this.#forbidden(route.communities)) return undefined;
    const { nextHop, localAddress } = this.#target;
    const chosen = nextHop === "self" || toNextHop ? localAddress : (route.nextHop ?? localAddress);
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
    if (this.#forbidden(path.attributes.communities ?? [])) return undefined;
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
    const { nextHop, localAddress, identity, routeReflectorClient } = this.#target;
    // RFC 2545 section 3: who is told need not be on the link of a link-local next hop.
    const useless = nextHop === "auto" && isLinkLocal(attributes.nextHop);
    const chosen = nextHop === "self" || useless ? localAddress : attributes.nextHop;
    if (chosen === undefined) return undefined;
    const kept = { ...attributes, localPref, nextHop: chosen };
    if (source.peerType === "ebgp") return kept;
    // RFC 4456 section 6: between internal peers only from or to a client.
    if (!source.routeReflectorClient && !routeReflectorClient) return undefined;
    const originatorId = originatorOf(attributes, source);
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
    return this.#outgoing.get(key) ?? this.#outgoing.add(key, { bytes: encoded.slice(), nextHop });
  }
}

/** The groups of a speaker; one goes when no session uses it. */
export class ExportGroups {
  readonly updates = new SharedUpdates();
  readonly #groups = new Map<string, WeakRef<ExportGroup>>();
  readonly #outgoing: Outgoing = new AttributeTable();

  of(target: GroupTarget): ExportGroup {
    const key = textOf(target);
    const known = this.#groups.get(key)?.deref();
    if (known !== undefined) return known;
    for (const [other, group] of this.#groups) {
      if (group.deref() === undefined) this.#groups.delete(other);
    }
    const made = new ExportGroup(target, this.#outgoing);
    this.#groups.set(key, new WeakRef(made));
    return made;
  }
}

function textOf(target: GroupTarget): string {
  const { peerType, localAddress, routeReflectorClient, nextHop, fourOctetAs, role } = target;
  const { extendedNextHop, longLivedStale, identity } = target;
  const local = localAddress === undefined ? "" : `${familyOf(localAddress)}:${localAddress}`;
  const mine = [identity.as, identity.routerId, identity.clusterId];
  const peers = [peerType, routeReflectorClient, nextHop, fourOctetAs, extendedNextHop, role];
  return [local, ...mine, ...peers, longLivedStale].join("|");
}

/** RFC 4456 section 8. */
export function originatorOf(attributes: PathAttributes, source: Source): Ipv4 {
  return attributes.originatorId ?? source.peerRouterId;
}
