/** `bgp routes`: the tables of the speaker, a row as each comes. */

import type { RouteDocument } from "../../bgp/view/index.ts";
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

const tables: readonly string[] = ["best", "in", "out"];

export async function bgpRoutes(
  args: readonly string[],
  options: BgpRoutesOptions,
  context: CtlContext,
): Promise<void> {
  const format = requireFormat(options.output, ["text", "wide", "json"]);
  const { table, prefix } = readWords(args);
  const { peer, match = prefix?.includes("/") ? "exact" : "covering" } = options;
  const query = { table, prefix, peer, ...(prefix !== undefined && { match }) };
  const routes = new BgpClient(options, context).lines<RouteDocument>("routes", query);
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

function readWords(args: readonly string[]): { table: string; prefix?: string } {
  const [first, second] = args;
  if (first !== undefined && tables.includes(first)) {
    return { table: first, ...(second !== undefined && { prefix: second }) };
  }
  if (second !== undefined) throw failure(`the table is best, in or out, not ${first}`);
  return { table: "best", ...(first !== undefined && { prefix: first }) };
}
