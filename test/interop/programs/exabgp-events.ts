/** What ExaBGP knows, put together from the events that it printed so far. */

import type { RouteSeen, SessionSeen } from "./program.ts";

type Nlri = readonly { readonly nlri: string; readonly "path-information"?: string }[];

/** RFC 7911: a path identifier makes it another route. */
const nameOf = (each: Nlri[number]) => `${each.nlri} ${each["path-information"]}`;

interface Attributes {
  readonly "as-path"?: readonly number[];
  readonly "local-preference"?: number;
  readonly community?: readonly (readonly number[])[];
  readonly "large-community"?: readonly (readonly number[])[];
  readonly "extended-community"?: readonly { readonly string: string }[];
  readonly "originator-id"?: string;
  readonly "cluster-list"?: readonly string[];
}

interface Event {
  readonly type: "state" | "negotiated" | "notification" | "update";
  readonly neighbor: {
    readonly address: { readonly peer: string };
    readonly state?: "connected" | "up" | "down";
    readonly direction?: "receive" | "send";
    readonly negotiated?: { readonly hold_time: number };
    readonly message?: {
      readonly update?: {
        readonly attribute?: Attributes;
        /** By family, and by next hop. */
        readonly announce?: Readonly<Record<string, Readonly<Record<string, Nlri>>>>;
        readonly withdraw?: Readonly<Record<string, Nlri>>;
      };
    };
  };
}

class Neighbor {
  readonly routes = new Map<string, RouteSeen>();
  readonly lines: string[] = [];
  established = false;
  holdSeconds: number | undefined;
  updatesReceived = 0;
  updatesSent = 0;
}

export class ExabgpEvents {
  readonly #neighbors = new Map<string, Neighbor>();

  constructor(text: string) {
    // The last line may not be whole.
    for (const line of text.split("\n").slice(0, -1)) {
      const event = parse(line);
      if (event !== undefined) this.#take(event, line);
    }
  }

  routes(neighbor: string): readonly RouteSeen[] {
    return [...this.#of(neighbor).routes.values()];
  }

  session(neighbor: string): SessionSeen {
    const { established, holdSeconds, updatesReceived, updatesSent, lines } = this.#of(neighbor);
    return { established, holdSeconds, updatesReceived, updatesSent, text: lines.join("\n") };
  }

  #of(address: string): Neighbor {
    const known = this.#neighbors.get(address) ?? new Neighbor();
    this.#neighbors.set(address, known);
    return known;
  }

  #take({ type, neighbor }: Event, line: string): void {
    const known = this.#of(neighbor.address.peer);
    if (type === "state") {
      known.established = neighbor.state === "up";
      known.routes.clear();
    }
    if (type === "negotiated") known.holdSeconds = neighbor.negotiated?.hold_time;
    if (type !== "update") known.lines.push(line);
    const update = neighbor.message?.update;
    if (type !== "update" || update === undefined) return;
    if (neighbor.direction === "send") {
      known.updatesSent++;
      return;
    }
    known.updatesReceived++;
    for (const withdrawn of Object.values(update.withdraw ?? {})) {
      for (const each of withdrawn) known.routes.delete(nameOf(each));
    }
    for (const byNextHop of Object.values(update.announce ?? {})) {
      for (const [nextHop, announced] of Object.entries(byNextHop)) {
        for (const each of announced) {
          const route = routeSeen(each.nlri, nextHop, update.attribute ?? {});
          known.routes.set(nameOf(each), route);
        }
      }
    }
  }
}

function parse(line: string): Event | undefined {
  try {
    return JSON.parse(line) as Event;
  } catch {
    // A route refresh is printed with its words quoted twice; nobody asks for it here.
    return undefined;
  }
}

function routeSeen(prefix: string, nextHop: string, attributes: Attributes): RouteSeen {
  const extended = attributes["extended-community"] ?? [];
  const joined = (lists: readonly (readonly number[])[] = []) =>
    lists.map((each) => each.join(":")).sort();
  return {
    prefix,
    nextHop,
    asPath: attributes["as-path"] ?? [],
    localPref: attributes["local-preference"],
    communities: joined(attributes.community),
    largeCommunities: joined(attributes["large-community"]),
    routeTargets: extended.flatMap(({ string }) =>
      string.startsWith("target:") ? [string.slice("target:".length)] : [],
    ),
    originatorId: attributes["originator-id"],
    clusterList: attributes["cluster-list"] ?? [],
  };
}
