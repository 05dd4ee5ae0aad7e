/** The route part of an apply: atomic replaces first, then what is no longer planned. */

import { setImmediate } from "node:timers/promises";
import { formatRoute, type Route, routeDelete, routeReplace } from "../netlink/index.ts";
import type { RoutePlan } from "../plan/index.ts";
import type { ApplyRun } from "./apply-context.ts";
import { RouteDiff, type RouteWrite, retainStale, routeObject } from "./route-diff.ts";
import { WRITES_PER_TURN, writeBatch } from "./write-batch.ts";

/** Routes looked at, some 2 ms of work, before the event loop has its turn. */
const COMPARED_PER_TURN = 4000;

/** `obstacle`: why a route must not be moved to its next hop now. */
export async function applyRoutes(
  run: ApplyRun,
  obstacle: (route: RoutePlan) => string | undefined,
): Promise<void> {
  const { plan, tables, ledger } = run;
  const diff = new RouteDiff({
    table: tables.routes,
    owns: (route) => run.owns(route),
    deviceIndex: (name) => tables.linkByName(name)?.index,
    deviceName: tables.linkName,
    obstacle,
  });
  let writes: RouteWrite[] = [];
  for (const [index, route] of plan.routes.entries()) {
    const write = diff.decide(route);
    if (write !== undefined) writes.push(write);
    if (writes.length === WRITES_PER_TURN) {
      diff.failed.push(...(await replaceRoutes(run, writes)));
      writes = [];
      await setImmediate();
    } else if (index % COMPARED_PER_TURN === COMPARED_PER_TURN - 1) await setImmediate();
  }
  diff.failed.push(...(await replaceRoutes(run, writes)));
  for (const { object, message } of diff.failures) ledger.fail(object, message);
  if (plan.keepUnplannedRoutes) return;
  const { remove, retain } = retainStale(diff.stale(), diff.failed);
  for (const route of retain) {
    const text = formatRoute(route, tables.linkName);
    ledger.fail(
      routeObject(route.destination),
      `route ${text} was kept: it is not planned any more, but what replaces it failed`,
    );
  }
  await deleteRoutes(run, remove);
}

/** The destinations the kernel refused. */
async function replaceRoutes(run: ApplyRun, writes: readonly RouteWrite[]) {
  const { tables, socket, ledger } = run;
  const refused = await writeBatch(
    socket,
    writes.map((write) => ({
      object: () => routeObject(write.route.destination),
      request: routeReplace(write.route, tables.linkName),
      item: write,
    })),
    ledger,
  );
  for (const { route, before } of refused) tables.routes.restore(route.destination, before);
  if (refused.length > 0) run.context.routes.invalidate();
  return refused.map(({ route }) => route.destination);
}

async function deleteRoutes(run: ApplyRun, routes: readonly Route[]): Promise<void> {
  const { tables, socket, ledger } = run;
  for (const route of routes) tables.routes.remove(route);
  const refused = await writeBatch(
    socket,
    routes.map((route) => ({
      object: () => routeObject(route.destination),
      request: routeDelete(route, tables.linkName),
      item: route,
    })),
    ledger,
  );
  for (const route of refused) tables.routes.append(route);
  if (refused.length > 0) run.context.routes.invalidate();
}
