/** The route part of an apply: atomic replaces first, then what is no longer planned. */

import { formatRoute, type Route, routeDelete, routeReplace } from "../netlink/index.ts";
import type { RoutePlan } from "../plan/index.ts";
import type { ApplyRun } from "./apply-context.ts";
import { diffRoutes, retainStale, routeObject } from "./route-diff.ts";
import { writeBatch } from "./write-batch.ts";

/** `obstacle`: why a route must not be moved to its next hop now. */
export async function applyRoutes(
  run: ApplyRun,
  obstacle: (route: RoutePlan) => string | undefined,
): Promise<void> {
  const { plan, tables, ledger, socket } = run;
  const diff = diffRoutes({
    planned: plan.routes,
    held: tables.routes,
    owns: (route) => run.owns(route),
    deviceIndex: (name) => tables.linkByName(name)?.index,
    deviceName: tables.linkName,
    obstacle,
  });
  for (const { object, message } of diff.failures) ledger.fail(object, message);
  const write = (item: Route, request: typeof routeReplace) => ({
    object: routeObject(item.destination),
    request: request(item, tables.linkName),
    item,
  });
  const replaces = diff.replace.map((route) => write(route, routeReplace));
  const refused = await writeBatch(socket, replaces, ledger);
  if (plan.keepUnplannedRoutes) return;
  const failed = [...diff.failed, ...refused.map((route) => route.destination)];
  const { remove, retain } = retainStale(diff.stale, failed);
  for (const route of retain) {
    const text = formatRoute(route, tables.linkName);
    ledger.fail(
      routeObject(route.destination),
      `route ${text} was kept: it is not planned any more, but what replaces it failed`,
    );
  }
  const deletes = remove.map((route) => write(route, routeDelete));
  await writeBatch(socket, deletes, ledger);
}
