/**
 * What a peer is told about a route, if anything: what its group is told, but never its own routes back,
 * then its export policy. Results are shared between routes and compared by `===`.
 */

import { familyOf } from "../../lib/index.ts";
import type { OriginatedRoute } from "../types.ts";
import type { Withheld } from "../view-types.ts";
import { encodeLargeCommunities, type PrefixKey } from "../wire/index.ts";
import { type ExportGroup, ExportGroups, originatorOf } from "./export-group.ts";
import type { ExportTarget, Origination, OutgoingAttributes } from "./export-target.ts";
import type { Path, Source } from "./path.ts";
import { changeTelling, type Telling } from "./telling.ts";

/** One for each session and policy. */
export class Exporter {
  readonly #target: ExportTarget;
  readonly #group: ExportGroup;
  #last: { readonly route: object | undefined; readonly telling: Telling | null } = {
    ...{ route: undefined, telling: null },
  };

  constructor(target: ExportTarget, groups = new ExportGroups()) {
    this.#target = target;
    this.#group = groups.of(target);
  }

  /** False only for what {@link export} refuses whatever the prefix: the peer's own, internal to internal. */
  mayExport(route: Origination | Path): boolean {
    if ("kind" in route) return true;
    const { peerType, routeReflectorClient } = this.#target;
    if (isFrom(route.source, this.#target)) return false;
    if (route.source.peerType === "ebgp") return true;
    return peerType === "ebgp" || routeReflectorClient || route.source.routeReflectorClient;
  }

  /** `undefined`: the peer is not told of this route. */
  export(key: PrefixKey, route: Origination | Path): OutgoingAttributes | undefined {
    const telling = this.#telling(route);
    if (telling === null) return undefined;
    const told = this.#target.policy.apply(key, telling.source, telling, changeTelling);
    if (told === undefined) return undefined;
    return typeof key === "number" ? this.#group.encoded4(told) : this.#group.encoded6(told);
  }

  /** Why {@link export} lets nothing of it pass; `undefined`: it does. For whoever looks on. */
  withheld(key: PrefixKey, route: Origination | Path): Withheld | undefined {
    if (this.export(key, route) !== undefined) return undefined;
    const telling = this.#telling(route);
    if (telling === null) return { by: this.#refusal(route) };
    const { policy } = this.#target;
    const asked = { key, source: telling.source, route: telling };
    const rule = policy.rejecting(asked, changeTelling);
    return rule === undefined ? { by: "next-hop" } : { by: "export-policy", rule };
  }

  #refusal(route: Origination | Path): Withheld["by"] {
    if (!("kind" in route)) {
      if (isFrom(route.source, this.#target)) return "own";
      if (!this.mayExport(route)) return "internal";
      if (this.#isOwn(route)) return "originator";
    }
    return this.#group.refusal(route);
  }

  #telling(route: Origination | Path): Telling | null {
    // Prefixes come in the order in which they were told: many of one path after the other.
    if (this.#last.route === route) return this.#last.telling;
    const telling = this.#tell(route);
    this.#last = { route, telling };
    return telling;
  }

  #tell(route: Origination | Path): Telling | null {
    const { peerAddress } = this.#target;
    // RFC 4271 section 5.1.3: never the peer's own address.
    if ("kind" in route) return this.#group.telling(route, route.nextHop === peerAddress);
    return this.#isOwn(route) ? null : this.#group.telling(route, false);
  }

  /** By the address, which is unique, and stays when a peer is given another name; or reflected once already. */
  #isOwn({ source, attributes }: Path): boolean {
    const { peerType, peerRouterId } = this.#target;
    if (isFrom(source, this.#target)) return true;
    if (peerType === "ebgp" || source.peerType === "ebgp") return false;
    return originatorOf(attributes, source) === peerRouterId;
  }
}

/** Several links may have a peer of the same link-local address. */
function isFrom(source: Source, target: ExportTarget): boolean {
  return source.peerAddress === target.peerAddress && source.peerDevice === target.peerDevice;
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
      known = {
        ...{ kind: "originated", nextHop, communities, largeCommunities, med, device },
        told: undefined,
      };
      this.#known.set(key, known);
    }
    return known;
  }
}
