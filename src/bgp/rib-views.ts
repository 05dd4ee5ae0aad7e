/** Answers questions about the tables, for `Speaker`: see view-types.ts. */

import { type Prefix, SwitchyardError } from "../lib/index.ts";
import { explain } from "./explain.ts";
import { nextHopsOf, routeDetails, sentRoute } from "./learned-route.ts";
import type { Peer } from "./peer.ts";
import type { LocRib, Origination, Path } from "./rib/index.ts";
import { routePages } from "./route-pages.ts";
import type {
  ReceivedRoute,
  RouteDetails,
  RouteExplanation,
  RoutePages,
  RouteQuery,
  SentRoute,
  ToldPeer,
} from "./view-types.ts";
import { keyOfPrefix, type PrefixKey } from "./wire/index.ts";

export class RibViews {
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #rib: LocRib;
  readonly #route: (key: PrefixKey) => Origination | Path | undefined;

  constructor(options: {
    readonly peers: ReadonlyMap<string, Peer>;
    readonly rib: LocRib;
    /** What peers are told. */
    readonly route: (key: PrefixKey) => Origination | Path | undefined;
  }) {
    this.#peers = options.peers;
    this.#rib = options.rib;
    this.#route = options.route;
  }

  why(prefix: Prefix): RouteExplanation {
    const key = keyOfPrefix(prefix);
    const known = [...this.#peers.values()].flatMap(({ receiver }) => receiver.known(key));
    const route = this.#route(key);
    return {
      prefix,
      originated: route !== undefined && "kind" in route,
      paths: explain({ key, candidates: this.#rib.paths(key), used: this.#rib.used(key), known }),
      told: route === undefined ? [] : this.#told(key, route),
    };
  }

  #told(key: PrefixKey, route: Origination | Path): ToldPeer[] {
    return [...this.#peers.values()].map(({ config: { name }, sender }) => {
      const withheld = sender ? sender.withheld(key, route) : { by: "no-session" as const };
      return { peer: name, ...(withheld && { withheld }) };
    });
  }

  locRib(query?: RouteQuery): RoutePages<RouteDetails> {
    const rib = this.#rib;
    return routePages({
      query,
      keys: () => rib.keys(),
      tell: (key) => {
        const used = rib.used(key);
        return used
          .slice(0, 1)
          .map((best) => ({ ...routeDetails(key, best), ...nextHopsOf(used) }));
      },
    });
  }

  adjRibIn(peerName: string, query?: RouteQuery): RoutePages<ReceivedRoute> {
    const { receiver } = this.#peer(peerName);
    return routePages({
      query,
      keys: () => receiver.keys(),
      tell: (key) =>
        receiver.known(key).map(({ received, refusal }) => ({
          ...routeDetails(key, received),
          ...(refusal === undefined ? {} : { refused: refusal }),
        })),
    });
  }

  adjRibOut(peerName: string, query?: RouteQuery): RoutePages<SentRoute> {
    const { sender } = this.#peer(peerName);
    return routePages({
      query,
      keys: () => sender?.keys() ?? [],
      tell: (key) =>
        sender ? sender.sent(key).map((sent) => sentRoute(key, sent, sender.context)) : [],
    });
  }

  #peer(name: string): Peer {
    const peer = this.#peers.get(name);
    if (peer === undefined) {
      throw new SwitchyardError("RESOURCE_NOT_FOUND", `no BGP peer is named ${name}`);
    }
    return peer;
  }
}
