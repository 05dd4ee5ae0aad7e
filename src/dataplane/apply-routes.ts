/** The route part of an apply: atomic replaces first, then what is no longer planned. */

import { setImmediate } from "node:timers/promises";
import { formatRoute, type Route, routeDelete, routeReplace } from "../netlink/index.ts";
import type { PrefixChange, RoutePlan } from "../plan/index.ts";
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
  const { plan } = run;
  const diff = diffOf(run, obstacle);
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
  tellFailures(run, diff);
  if (!plan.keepUnplannedRoutes) await removeStale(run, diff);
}

/** The routes of some prefixes, when everything that they need is in place. */
export async function changeRoutes(run: ApplyRun, changes: readonly PrefixChange[]): Promise<void> {
  const { plan, tables } = run;
  const diff = diffOf(run, () => undefined);
  const writes = changes.flatMap(({ routes }) =>
    routes.flatMap((route) => diff.decide(route) ?? []),
  );
  await replaceRoutes(run, diff, writes);
  tellFailures(run, diff);
  if (plan.keepUnplannedRoutes) return;
  const stale = changes.flatMap(({ prefix, routes }) =>
    routes.length > 0 ? [] : tables.routes.at(prefix).filter((route) => run.owns(route)),
  );
  await removeUnneeded(run, diff, stale);
}

function diffOf(run: ApplyRun, obstacle: (route: RoutePlan) => string | undefined): RouteDiff {
  const { tables } = run;
  return new RouteDiff({
    table: tables.routes,
    owns: (route) => run.owns(route),
    yields: (route) => run.yields(route),
    deviceIndex: (name) => tables.linkByName(name)?.index,
    deviceName: tables.linkName,
    obstacle,
  });
}

function tellFailures({ ledger }: ApplyRun, { failures }: RouteDiff): void {
  for (const { object, message } of failures) ledger.fail(object, message);
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
  const sweep = run.tables.routes.sweep();
  for (let more = true; more; ) {
    const stale: Route[] = [];
    more = sweep.some(COMPARED_PER_TURN, diff.addStale(stale));
    await removeUnneeded(run, diff, stale);
    if (more) await setImmediate();
  }
}

/** All but those that must stay because what replaces them failed. */
async function removeUnneeded(run: ApplyRun, diff: RouteDiff, stale: readonly Route[]) {
  const { tables, ledger } = run;
  const { remove, retain } = retainStale(stale, diff.failed);
  for (const route of retain) {
    const text = formatRoute(route, tables.linkName);
    ledger.fail(
      routeObject(route.destination),
      `route ${text} was kept: it is not planned any more, but what replaces it failed`,
    );
  }
  await deleteRoutes(run, remove);
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
