/**
 * From the routes planned and the routes held to what must change; pure. The kernel's key of an IPv4
 * route is (table, destination, tos, metric): a replacement under the same key is one atomic step, whatever
 * the protocol of either. We use metric 0 for all, so our routes never shadow each other.
 */

import { formatPrefix, type Prefix, prefixesOverlap } from "../lib/index.ts";
import { formatRoute, type Route, routeKey } from "../netlink/index.ts";
import { type RoutePlan, renderRoute } from "../plan/index.ts";
import type { Failure } from "./types.ts";

export interface RouteDiffInput {
  readonly planned: readonly RoutePlan[];
  /** IPv4 routes of table main, all owners, in the kernel's order. */
  readonly held: readonly Route[];
  readonly owns: (route: Route) => boolean;
  readonly deviceIndex: (name: string) => number | undefined;
  readonly deviceName: (index: number) => string | undefined;
  /** Why no route may be moved to this next hop now; undefined when it may. */
  readonly obstacle?: (route: RoutePlan) => string | undefined;
}

export interface RouteDiff {
  /** To be written, each by one atomic replace. */
  readonly replace: readonly Route[];
  /** Ours, and not planned. */
  readonly stale: readonly Route[];
  readonly failures: readonly Failure[];
  /** Destinations that could not be planned for: what leads there now must stay. */
  readonly failed: readonly Prefix[];
}

export function diffRoutes(input: RouteDiffInput): RouteDiff {
  const { planned, held, owns } = input;
  const first = new Map<string, Route>();
  for (const route of held) {
    const key = routeKey(route);
    if (!first.has(key)) first.set(key, route);
  }
  const replace: Route[] = [];
  const failures: Failure[] = [];
  const failed: Prefix[] = [];
  const wantedKeys = new Set<string>();
  for (const plan of planned) {
    const fail = (why: string) => {
      failures.push({ object: routeObject(plan.destination), message: why });
      failed.push(plan.destination);
    };
    const device = plan.device === undefined ? undefined : input.deviceIndex(plan.device);
    const wanted = wantedRoute(plan, device);
    const key = routeKey(wanted);
    const text = renderRoute(plan);
    if (wantedKeys.has(key)) {
      fail(`route ${text} was not written: the plan holds two routes for it`);
      continue;
    }
    wantedKeys.add(key);
    if (plan.device !== undefined && device === undefined) {
      fail(`route ${text} was not written: device ${plan.device} does not exist`);
      continue;
    }
    const present = first.get(key);
    if (present !== undefined && sameRoute(present, wanted)) {
      continue;
    }
    if (present !== undefined && !owns(present)) {
      const other = formatRoute(present, input.deviceName);
      fail(`route ${text} was not written: ${other} is there and is not ours`);
      continue;
    }
    const obstacle = input.obstacle?.(plan);
    if (obstacle !== undefined) {
      fail(`route ${text} was not written: ${obstacle}`);
      continue;
    }
    replace.push(wanted);
  }
  // A second route under a planned key is shadowed by the first and cannot be deleted by its key alone
  // without risking the first: it stays until its key is no longer planned.
  const stale = held.filter((route) => owns(route) && !wantedKeys.has(routeKey(route)));
  return { replace, stale, failures, failed };
}

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

function wantedRoute(plan: RoutePlan, device: number | undefined): Route {
  return {
    type: plan.kind,
    destination: plan.destination,
    protocol: plan.protocol,
    scope: plan.scope,
    ...(plan.gateway === undefined ? {} : { gateway: plan.gateway }),
    ...(device === undefined ? {} : { device }),
    ...(plan.onlink ? { onlink: true } : {}),
  };
}

/** True if the kernel holds exactly this; its flags (linkdown) are news about devices, not about the route. */
function sameRoute(held: Route, wanted: Route): boolean {
  return (
    held.type === wanted.type &&
    held.protocol === wanted.protocol &&
    held.scope === wanted.scope &&
    held.gateway === wanted.gateway &&
    held.device === wanted.device &&
    (held.onlink ?? false) === (wanted.onlink ?? false) &&
    held.source === undefined &&
    held.mtu === undefined &&
    held.nextHops === undefined
  );
}
