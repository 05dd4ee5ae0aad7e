/**
 * What a route says beside its destination. Very many routes share few of these: each is kept once and
 * known by a small number.
 */

import type { IpAddress, Prefix } from "../lib/index.ts";
import type { Route, RouteNextHop, RouteType } from "../netlink/index.ts";

export interface RouteBody {
  readonly id: number;
  readonly type: RouteType;
  readonly protocol: number;
  readonly scope: string;
  readonly gateway: IpAddress | undefined;
  readonly device: number | undefined;
  readonly onlink: boolean;
  /** Of a route with several, in place of gateway and device; in the order of their gateways. */
  readonly nextHops: readonly RouteNextHop[] | undefined;
}

/** 0 is no body: see {@link RouteTable}. */
export class RouteBodies {
  readonly #all: (RouteBody | undefined)[] = [undefined];
  /** By gateway, since that is what tells most apart. */
  readonly #byGateway = new Map<IpAddress | undefined, RouteBody[]>();

  get count(): number {
    return this.#all.length;
  }

  get(id: number): RouteBody {
    return this.#all[id]!;
  }

  /** The one body with these values. */
  intern(values: Omit<RouteBody, "id">): RouteBody {
    let candidates = this.#byGateway.get(values.gateway);
    if (candidates === undefined) {
      candidates = [];
      this.#byGateway.set(values.gateway, candidates);
    }
    for (const body of candidates) {
      if (
        body.device === values.device &&
        body.protocol === values.protocol &&
        body.type === values.type &&
        body.scope === values.scope &&
        body.onlink === values.onlink &&
        sameHops(body.nextHops, values.nextHops)
      ) {
        return body;
      }
    }
    const { type, protocol, scope, gateway, device, onlink, nextHops } = values;
    const id = this.#all.length;
    const body = { id, type, protocol, scope, gateway, device, onlink, nextHops };
    this.#all.push(body);
    candidates.push(body);
    return body;
  }

  /** The body of a route that is fully said by one, at the metric that our own routes have. */
  ofPlain(route: Route): RouteBody | undefined {
    return isPlain(route)
      ? this.intern({
          type: route.type,
          protocol: route.protocol,
          scope: route.scope ?? "global",
          gateway: route.gateway,
          // The kernel hangs IPv6 blackholes and the like on `lo`.
          device: route.type === "unicast" ? route.device : undefined,
          onlink: route.onlink ?? false,
          nextHops: route.nextHops && sortedHops(route.nextHops),
        })
      : undefined;
  }
}

const RT_TABLE_MAIN = 254;
/** IP6_RT_PRIO_USER: what the kernel gives an IPv6 route that is written without a metric. */
const IPV6_DEFAULT_METRIC = 1024;

/** The metric of all our routes, so that they never shadow each other. */
function ourMetric({ address }: Prefix): number {
  return typeof address === "number" ? 0 : IPV6_DEFAULT_METRIC;
}

export function hasOurMetric({ destination, metric = 0 }: Route): boolean {
  return metric === ourMetric(destination);
}

/** What is known of such a route; anything beyond makes it one that is kept whole. */
const PLAIN_KEYS: ReadonlySet<string> = new Set([
  "type",
  "destination",
  "table",
  "metric",
  "protocol",
  "scope",
  "gateway",
  "device",
  "onlink",
  "preference",
  "nextHops",
  "flags",
]);

/** Its flags (linkdown) are news about devices, not about the route, unless it is out of use. */
function isPlain(route: Route): boolean {
  if (!hasOurMetric(route) || route.flags?.includes("dead")) return false;
  for (const key in route) {
    if (!PLAIN_KEYS.has(key) && route[key as keyof Route] !== undefined) return false;
  }
  return route.nextHops?.every(isPlainHop) ?? true;
}

const isPlainHop = ({ gateway, weight = 1, onlink, encap }: RouteNextHop): boolean =>
  gateway !== undefined && weight === 1 && !onlink && encap === undefined;

/** Ours are written in this order, and mean the same in any. */
export function sortedHops(hops: readonly RouteNextHop[]): readonly RouteNextHop[] {
  return hops
    .map(({ gateway, device }) => ({ gateway: gateway!, device, weight: 1 }))
    .sort((a, b) => {
      if (a.gateway === b.gateway) return a.device - b.device;
      return a.gateway < b.gateway ? -1 : 1;
    });
}

function sameHops(a: RouteBody["nextHops"], b: RouteBody["nextHops"]): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.length !== b.length) return false;
  return a.every(({ gateway, device }, at) => {
    const other = b[at]!;
    return gateway === other.gateway && device === other.device;
  });
}

/** The route of a destination with this body, as the kernel would give it. */
export function routeOf(destination: Prefix, body: RouteBody): Route {
  const { type, protocol, scope, gateway, device, onlink, nextHops } = body;
  return {
    type,
    destination,
    table: RT_TABLE_MAIN,
    metric: ourMetric(destination),
    protocol,
    scope,
    ...(gateway === undefined ? {} : { gateway }),
    ...(device === undefined ? {} : { device }),
    ...(onlink ? { onlink } : {}),
    ...(nextHops === undefined ? {} : { nextHops }),
  };
}
