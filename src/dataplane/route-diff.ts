/**
 * From the routes planned and the routes held to what must change; pure. The kernel's key of a
 * route is (table, destination, tos, metric): a replacement under the same key is one atomic step, whatever
 * the protocol of either. We use one metric for all, so our routes never shadow each other.
 */

import { formatPrefix, type Prefix, prefixesOverlap } from "../lib/index.ts";
import { formatRoute, type Route } from "../netlink/index.ts";
import { type RoutePlan, renderRoute } from "../plan/index.ts";
import { hasOurMetric, type RouteBody, routeOf, sortedHops } from "./route-body.ts";
import type { RouteTable, TableEntry } from "./route-table.ts";
import type { Failure } from "./types.ts";

export interface RouteDiffInput {
  /** What is held, all owners. Takes the writes in as they are decided. */
  readonly table: RouteTable;
  readonly owns: (route: Route) => boolean;
  /** A planned route may take the place of this one. Whatever is ours does. */
  readonly yields: (route: Route) => boolean;
  readonly deviceIndex: (name: string) => number | undefined;
  readonly deviceName: (index: number) => string | undefined;
  /** Why no route may be moved to this next hop now; undefined when it may. */
  readonly obstacle?: (route: RoutePlan) => string | undefined;
}

/** One atomic replace. */
export interface RouteWrite {
  readonly route: Route;
  /** What the prefix had before: back to this if the kernel refuses. */
  readonly before: RouteBody | readonly Route[];
}

export class RouteDiff {
  readonly #input: RouteDiffInput;
  readonly failures: Failure[] = [];
  /** Destinations that could not be planned for: what leads there now must stay. */
  readonly failed: Prefix[] = [];
  /** Failed prefixes that have no place in the table to be marked at. */
  readonly #absent = new Set<string>();
  /** By body: whether it is ours for some destination. */
  readonly #owned: (boolean | undefined)[] = [];

  constructor(input: RouteDiffInput) {
    this.#input = input;
    input.table.beginMarks();
  }

  /** The write that makes the kernel hold this; undefined if it does, or if it may not be written. */
  decide(plan: RoutePlan): RouteWrite | undefined {
    const { table, deviceIndex, obstacle } = this.#input;
    const { destination } = plan;
    const wanted = wantedBody(table, plan, deviceIndex);
    const comparison = table.compare(destination, wanted);
    const failedBefore = this.#absent.size > 0 && this.#absent.has(formatPrefix(destination));
    if (comparison === "twice" || failedBefore) {
      return this.#fail(plan, "the plan holds two routes for it");
    }
    const missing = devicesOf(plan).find((name) => deviceIndex(name) === undefined);
    if (missing !== undefined) return this.#fail(plan, `device ${missing} does not exist`);
    if (comparison === "same") return undefined;
    const before = table.bodyAt(destination) ?? table.at(destination);
    if ("id" in before) {
      const yields = () => this.#input.yields(routeOf(destination, before));
      if (!this.#ownsPlain(before, destination) && !yields())
        return this.#refuse(plan, routeOf(destination, before));
    } else {
      const present = before.find(hasOurMetric);
      if (present !== undefined && table.bodies.ofPlain(present) === wanted) return undefined;
      if (present !== undefined && !this.#input.yields(present)) return this.#refuse(plan, present);
    }
    const why = obstacle?.(plan);
    if (why !== undefined) return this.#fail(plan, why);
    // Before it is sent: an event of what somebody else does after our write must find it here.
    table.replace(destination, wanted);
    return { route: routeOf(destination, wanted), before };
  }

  /**
   * Ours, and not among those decided, as far as this piece of a sweep goes. A second route under a planned
   * key is shadowed by the first and cannot be deleted by its key alone without risking the first: it stays
   * until its key is no longer planned.
   */
  readonly addStale =
    (stale: Route[]) =>
    ({ body, marked, prefix, routes }: TableEntry): void => {
      if (body !== undefined) {
        if (!marked && this.#ownsPlain(body, HOST)) {
          const route = routeOf(prefix(), body);
          if (this.#input.owns(route)) stale.push(route);
        }
        return;
      }
      for (const route of routes()) {
        if (this.#input.owns(route) && !(marked && hasOurMetric(route))) stale.push(route);
      }
    };

  /** Puts the table back after the kernel refused a write. */
  takeBack({ route, before }: RouteWrite): void {
    const { table } = this.#input;
    const routes = "id" in before ? [routeOf(route.destination, before)] : before;
    table.restore(route.destination, routes);
    this.failed.push(route.destination);
  }

  /** Most bodies are ours or not whatever the destination: that is found out once. */
  #ownsPlain(body: RouteBody, destination: Prefix): boolean {
    this.#owned[body.id] ??= this.#input.owns(routeOf(HOST, body));
    return this.#owned[body.id]! && this.#input.owns(routeOf(destination, body));
  }

  #refuse(plan: RoutePlan, present: Route): undefined {
    const text = formatRoute(present, this.#input.deviceName);
    return this.#fail(plan, `${text} is there and is not ours`);
  }

  #fail(plan: RoutePlan, why: string): undefined {
    const message = `route ${renderRoute(plan)} was not written: ${why}`;
    this.failures.push({ object: routeObject(plan.destination), message });
    this.failed.push(plan.destination);
    if (!this.#input.table.isMarked(plan.destination)) {
      this.#absent.add(formatPrefix(plan.destination));
    }
  }
}

/** A prefix that only one host has: what ownership of a pod's route asks for. */
const HOST = { address: 0, length: 32 } as Prefix;

/** Splits stale routes into those to remove and those that must stay because nothing replaces them. */
export function retainStale(
  stale: readonly Route[],
  failed: readonly Prefix[],
): { readonly remove: readonly Route[]; readonly retain: readonly Route[] } {
  if (failed.length === 0) return { remove: stale, retain: [] };
  const needed = (route: Route) =>
    failed.some((prefix) => prefixesOverlap(prefix, route.destination));
  return {
    remove: stale.filter((route) => !needed(route)),
    retain: stale.filter((route) => needed(route)),
  };
}

export function routeObject(destination: Prefix): string {
  return `route ${formatPrefix(destination)}`;
}

function devicesOf({ device, nextHops = [] }: RoutePlan): readonly string[] {
  if (nextHops.length > 0) return nextHops.map((hop) => hop.device);
  return device === undefined ? [] : [device];
}

function wantedBody(
  { bodies }: RouteTable,
  plan: RoutePlan,
  deviceIndex: RouteDiffInput["deviceIndex"],
): RouteBody {
  const { kind: type, protocol, gateway, onlink = false } = plan;
  const device = plan.device === undefined ? undefined : deviceIndex(plan.device);
  const nextHops =
    plan.nextHops &&
    sortedHops(plan.nextHops.map((hop) => ({ ...hop, device: deviceIndex(hop.device) ?? 0 })));
  // IPv6 knows no scopes of routes.
  const scope = typeof plan.destination.address === "number" ? plan.scope : "global";
  return bodies.intern({ type, protocol, scope, gateway, device, onlink, nextHops });
}
