/** Answers questions about the tables, for `Speaker`: see view-types.ts. */

import { type Prefix, SwitchyardError } from "../lib/index.ts";
import { explain } from "./explain.ts";
import { nextHopsOf, routeDetails, sentRoute } from "./learned-route.ts";
import type { Peer } from "./peer.ts";
import type { LocRib } from "./rib/index.ts";
import { routePages } from "./route-pages.ts";
import type {
  ReceivedRoute,
  RouteDetails,
  RouteExplanation,
  RoutePages,
  RouteQuery,
  SentRoute,
} from "./view-types.ts";
import { keyOfPrefix, type PrefixKey } from "./wire/index.ts";

export class RibViews {
  readonly #peers: ReadonlyMap<string, Peer>;
  readonly #rib: LocRib;
  readonly #isOriginated: (key: PrefixKey) => boolean;

  constructor(options: {
    readonly peers: ReadonlyMap<string, Peer>;
    readonly rib: LocRib;
    readonly isOriginated: (key: PrefixKey) => boolean;
  }) {
    this.#peers = options.peers;
    this.#rib = options.rib;
    this.#isOriginated = options.isOriginated;
  }

  why(prefix: Prefix): RouteExplanation {
    const key = keyOfPrefix(prefix);
    const known = [...this.#peers.values()].flatMap(({ receiver }) => receiver.known(key));
    return {
      prefix,
      originated: this.#isOriginated(key),
      paths: explain({ key, candidates: this.#rib.paths(key), used: this.#rib.used(key), known }),
    };
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
