/** `bgp routes`: the tables of the speaker, a row as each comes. */

import type { RouteDocument } from "../../bgp/view/index.ts";
import { comparePrefixes, parsePrefix, parsePrefixOrAddress } from "../../lib/index.ts";
import { BgpClient, type BgpOptions } from "../bgp/ask.ts";
import { requireFormat, write, writeJsonArray } from "../bgp/format.ts";
import type { CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { routeColumns, routeRow } from "../output/bgp-routes.ts";
import { StreamTable } from "../output/stream-table.ts";

export interface BgpRoutesOptions extends BgpOptions {
  readonly peer?: string;
  readonly match?: string;
}

const SORTED = 10_000;

const tables: readonly string[] = ["best", "in", "out"];

export async function bgpRoutes(
  args: readonly string[],
  options: BgpRoutesOptions,
  context: CtlContext,
): Promise<void> {
  const format = requireFormat(options.output, ["text", "wide", "json"]);
  const { table, prefix } = readWords(args);
  const { peer, match = usualMatch(prefix) } = options;
  if (match !== undefined && prefix === undefined) {
    throw failure("--match says how a PREFIX is meant, and there is none");
  }
  const query = { table, prefix, peer, match };
  const found = new BgpClient(options, context).lines<RouteDocument>("routes", query);
  // Those that cover an address come with the longest first.
  const routes = match === "covering" ? found : inOrder(found);
  if (format === "json") {
    await writeJsonArray(context, routes);
    return;
  }
  const wide = format === "wide";
  const rows = new StreamTable(routeColumns(wide));
  for await (const route of routes) {
    const ready = rows.add(routeRow(route, wide));
    if (ready !== "") await write(context, ready);
  }
  await write(context, rows.end());
}

function usualMatch(prefix: string | undefined): string | undefined {
  if (prefix === undefined) return undefined;
  return prefix.includes("/") ? "exact" : "covering";
}

/** By prefix, as long as they are few: nobody waits for a full table to be sorted. */
async function* inOrder(routes: AsyncIterable<RouteDocument>): AsyncGenerator<RouteDocument> {
  const first: RouteDocument[] = [];
  for await (const route of routes) {
    if (first.length > SORTED) yield route;
    else if (first.push(route) > SORTED) yield* first;
  }
  if (first.length <= SORTED) yield* sortedByPrefix(first);
}

function sortedByPrefix(routes: readonly RouteDocument[]): RouteDocument[] {
  return routes
    .map((route) => ({ route, prefix: parsePrefix(route.prefix)! }))
    .sort((a, b) => comparePrefixes(a.prefix, b.prefix))
    .map(({ route }) => route);
}

function readWords(args: readonly string[]): { table: string; prefix?: string } {
  const [first, second] = args;
  if (first !== undefined && tables.includes(first)) {
    return { table: first, ...(second !== undefined && { prefix: second }) };
  }
  if (first !== undefined && (second !== undefined || !parsePrefixOrAddress(first))) {
    throw failure(`${JSON.stringify(first)} is neither best, in or out nor a prefix or an address`);
  }
  return { table: "best", ...(first !== undefined && { prefix: first }) };
}
