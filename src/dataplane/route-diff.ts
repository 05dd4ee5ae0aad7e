/**
 * From the routes planned and the routes held to what must change; pure. The kernel's key of a
 * route is (table, destination, tos, metric): a replacement under the same key is one atomic step, whatever
 * the protocol of either. We use one metric for all, so our routes never shadow each other.
 */

import { formatPrefix, type Prefix, prefixesOverlap } from "../lib/index.ts";
import { formatRoute, type Route } from "../netlink/index.ts";
import { type RoutePlan, renderRoute } from "../plan/index.ts";
import { hasOurMetric, type RouteBody, routeOf } from "./route-body.ts";
import type { RouteTable } from "./route-table.ts";
import type { Failure } from "./types.ts";

export interface RouteDiffInput {
  /** What is held, all owners. Takes the writes in as they are decided. */
  readonly table: RouteTable;
  readonly owns: (route: Route) => boolean;
  readonly deviceIndex: (name: string) => number | undefined;
  readonly deviceName: (index: number) => string | undefined;
  /** Why no route may be moved to this next hop now; undefined when it may. */
  readonly obstacle?: (route: RoutePlan) => string | undefined;
}

/** One atomic replace. */
export interface RouteWrite {
  readonly route: Route;
  /** What the prefix had before: back to this if the kernel refuses. */
  readonly before: readonly Route[];
}

export class RouteDiff {
  readonly #input: RouteDiffInput;
  readonly failures: Failure[] = [];
  /** Destinations that could not be planned for: what leads there now must stay. */
  readonly failed: Prefix[] = [];
  /** Failed prefixes that have no place in the table to be marked at. */
  readonly #absent = new Set<string>();

  constructor(input: RouteDiffInput) {
    this.#input = input;
    input.table.beginMarks();
  }

  /** The write that makes the kernel hold this; undefined if it does, or if it may not be written. */
  decide(plan: RoutePlan): RouteWrite | undefined {
    const { table, owns, deviceIndex, deviceName, obstacle } = this.#input;
    const { destination } = plan;
    const held = table.bodyAt(destination);
    if (!table.mark(destination) && this.#isPlannedTwice(destination)) {
      return this.#fail(plan, "the plan holds two routes for it");
    }
    const device = plan.device === undefined ? undefined : deviceIndex(plan.device);
    if (plan.device !== undefined && device === undefined) {
      return this.#fail(plan, `device ${plan.device} does not exist`);
    }
    const wanted = wantedBody(table, plan, device);
    if (held === wanted) return undefined;
    const before = table.at(destination);
    const present = before.find(hasOurMetric);
    if (present !== undefined && table.bodies.ofPlain(present) === wanted) return undefined;
    if (present !== undefined && !owns(present)) {
      return this.#fail(plan, `${formatRoute(present, deviceName)} is there and is not ours`);
    }
    const why = obstacle?.(plan);
    if (why !== undefined) return this.#fail(plan, why);
    // Before it is sent: an event of what somebody else does after our write must find it here.
    table.replace(destination, wanted);
    table.mark(destination);
    return { route: routeOf(destination, wanted), before };
  }

  /**
   * Ours, and not among those decided. A second route under a planned key is shadowed by the first and
   * cannot be deleted by its key alone without risking the first: it stays until its key is no longer planned.
   */
  stale(): Route[] {
    const { table, owns } = this.#input;
    const stale: Route[] = [];
    const owned: (boolean | undefined)[] = [];
    table.visit(({ body, marked, routes }) => {
      if (body !== undefined && (marked || !mayOwn(body))) return;
      for (const route of routes()) {
        if (owns(route) && !(marked && hasOurMetric(route))) stale.push(route);
      }
    });
    return stale;

    /** False for bodies that are nobody's of ours, whatever their prefix. */
    function mayOwn(body: RouteBody): boolean {
      owned[body.id] ??= owns(routeOf(HOST, body));
      return owned[body.id]!;
    }
  }

  /** Of a prefix that could not be marked: it has no place in the table, or was marked before. */
  #isPlannedTwice(destination: Prefix): boolean {
    if (this.#input.table.isMarked(destination)) return true;
    return this.#absent.size > 0 && this.#absent.has(formatPrefix(destination));
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

function wantedBody(
  { bodies }: RouteTable,
  plan: RoutePlan,
  device: number | undefined,
): RouteBody {
  const { kind: type, protocol, gateway, onlink = false } = plan;
  // IPv6 knows no scopes of routes.
  const scope = typeof plan.destination.address === "number" ? plan.scope : "global";
  return bodies.intern({ type, protocol, scope, gateway, device, onlink });
}
