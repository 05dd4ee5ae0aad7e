/** `bgp why`: each path to a prefix, and what decided about it. */

import type { RouteDocument, WhyDocument } from "../../bgp/view/index.ts";
import { BgpClient, type BgpOptions } from "../bgp/ask.ts";
import { requireFormat } from "../bgp/format.ts";
import type { CtlContext } from "../context.ts";
import { renderWhy } from "../output/bgp-routes.ts";

const NO_PATH = 1;

export async function bgpWhy(
  [words = ""]: readonly string[],
  options: BgpOptions,
  context: CtlContext,
): Promise<void> {
  const format = requireFormat(options.output, ["text", "json"]);
  const client = new BgpClient(options, context);
  const isPrefix = words.includes("/");
  const prefix = isPrefix ? words : await longestMatch(client, words);
  const document = await client.json<WhyDocument>("why", { prefix });
  context.stdout(
    format === "json"
      ? `${JSON.stringify(document, null, 2)}\n`
      : renderWhy(
          document,
          isPrefix ? `a path to exactly ${document.prefix}` : `a route that covers ${words}`,
        ),
  );
  if (document.paths.length === 0 && !document.originated) context.answer?.(NO_PATH);
}

/** The prefix by which packets to an address would go; the address where there is none. */
async function longestMatch(client: BgpClient, address: string): Promise<string> {
  const query = { table: "best", prefix: address, match: "covering" };
  for await (const { prefix } of client.lines<RouteDocument>("routes", query)) return prefix;
  return address;
}
