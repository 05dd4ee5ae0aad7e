/** Answers questions about the tables, for `Speaker`: see view-types.ts. */

import { type Prefix, SwitchyardError } from "../lib/index.ts";
import { explain } from "./explain.ts";
import { nextHopsOf, routeDetails, sentRoute } from "./learned-route.ts";
import type { Peer } from "./peer.ts";
import {
  type LocRib,
  type Origination,
  type Path,
  type PrefixNumber,
  prefixIndex,
} from "./rib/index.ts";
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
import { keyOfPrefix } from "./wire/index.ts";

export class RibViews {
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #rib: LocRib;
  readonly #route: (number: PrefixNumber) => Origination | Path | undefined;

  constructor(options: {
    readonly peers: ReadonlyMap<string, Peer>;
    readonly rib: LocRib;
    /** What peers are told. */
    readonly route: (number: PrefixNumber) => Origination | Path | undefined;
  }) {
    this.#peers = options.peers;
    this.#rib = options.rib;
    this.#route = options.route;
  }

  why(prefix: Prefix): RouteExplanation {
    const key = keyOfPrefix(prefix);
    const number = prefixIndex.find(key);
    if (number === undefined) return { prefix, originated: false, paths: [], told: [] };
    const known = [...this.#peers.values()].flatMap(({ receiver }) => receiver.known(number));
    const [candidates, used] = [this.#rib.paths(number), this.#rib.used(number)];
    const route = this.#route(number);
    return {
      prefix,
      originated: route !== undefined && "kind" in route,
      paths: explain({ key, candidates, used, known }),
      told: route === undefined ? [] : this.#told(number, route),
    };
  }

  #told(number: PrefixNumber, route: Origination | Path): ToldPeer[] {
    return [...this.#peers.values()].map(({ config: { name }, sender }) => {
      const withheld = sender ? sender.withheld(number, route) : { by: "no-session" as const };
      return { peer: name, ...(withheld && { withheld }) };
    });
  }

  locRib(query?: RouteQuery): RoutePages<RouteDetails> {
    const rib = this.#rib;
    return routePages({
      query,
      numbers: () => rib.numbers(),
      tell: (number, key) => {
        const used = rib.used(number);
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
      numbers: () => receiver.numbers(),
      tell: (number, key) =>
        receiver.known(number).map(({ received, refusal }) => ({
          ...routeDetails(key, received),
          ...(refusal === undefined ? {} : { refused: refusal }),
        })),
    });
  }

  adjRibOut(peerName: string, query?: RouteQuery): RoutePages<SentRoute> {
    const { sender } = this.#peer(peerName);
    return routePages({
      query,
      numbers: () => sender?.numbers() ?? [],
      tell: (number, key) =>
        sender ? sender.sent(number).map((sent) => sentRoute(key, sent, sender.context)) : [],
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
