/** The route part of an apply: atomic replaces first, then what is no longer planned. */

import { setImmediate } from "node:timers/promises";
import { formatRoute, type Route, routeDelete, routeReplace } from "../netlink/index.ts";
import type { RoutePlan } from "../plan/index.ts";
import type { ApplyRun } from "./apply-context.ts";
import { RouteDiff, type RouteWrite, retainStale, routeObject } from "./route-diff.ts";
import { writeBatch } from "./write-batch.ts";

/** Routes looked at, some 2 ms of work, before the event loop has its turn. */
const COMPARED_PER_TURN = 4000;
/** Some 3 batches: enough for one to be written while the kernel works on another. */
const WRITES_PER_TURN = 2000;

/** `obstacle`: why a route must not be moved to its next hop now. */
export async function applyRoutes(
  run: ApplyRun,
  obstacle: (route: RoutePlan) => string | undefined,
): Promise<void> {
  const { plan, tables, ledger } = run;
  const diff = new RouteDiff({
    table: tables.routes,
    owns: (route) => run.owns(route),
    yields: (route) => run.yields(route),
    deviceIndex: (name) => tables.linkByName(name)?.index,
    deviceName: tables.linkName,
    obstacle,
  });
  let writes: RouteWrite[] = [];
  let compared = 0;
  for (const route of plan.routes) {
    const write = diff.decide(route);
    if (write !== undefined) writes.push(write);
    if (writes.length === WRITES_PER_TURN) {
      await replaceRoutes(run, diff, writes);
      writes = [];
    } else if (++compared % COMPARED_PER_TURN === 0) await setImmediate();
  }
  await replaceRoutes(run, diff, writes);
  for (const { object, message } of diff.failures) ledger.fail(object, message);
  if (!plan.keepUnplannedRoutes) await removeStale(run, diff);
}

async function replaceRoutes(run: ApplyRun, diff: RouteDiff, writes: readonly RouteWrite[]) {
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
  for (const write of refused) diff.takeBack(write);
  if (refused.length > 0) run.context.routes.invalidate();
}

async function removeStale(run: ApplyRun, diff: RouteDiff): Promise<void> {
  const { tables, ledger } = run;
  const sweep = tables.routes.sweep();
  for (let more = true; more; ) {
    const stale: Route[] = [];
    more = sweep.some(COMPARED_PER_TURN, diff.addStale(stale));
    const { remove, retain } = retainStale(stale, diff.failed);
    for (const route of retain) {
      const text = formatRoute(route, tables.linkName);
      ledger.fail(
        routeObject(route.destination),
        `route ${text} was kept: it is not planned any more, but what replaces it failed`,
      );
    }
    await deleteRoutes(run, remove);
    if (more) await setImmediate();
  }
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
