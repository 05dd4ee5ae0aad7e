/** `bgp peers`: sessions, counts, and why sessions ended. */

import type { PeersDocument } from "../../bgp/view/index.ts";
import { BgpClient, type BgpOptions } from "../bgp/ask.ts";
import { requireFormat } from "../bgp/format.ts";
import type { CtlContext } from "../context.ts";
import { renderPeers } from "../output/bgp-peers.ts";

export async function bgpPeers(
  [peer]: readonly string[],
  options: BgpOptions,
  context: CtlContext,
): Promise<void> {
  const format = requireFormat(options.output, ["text", "wide", "json"]);
  const client = new BgpClient(options, context);
  const document = await client.json<PeersDocument>("peers", { peer });
  if (format === "json") context.stdout(`${JSON.stringify(document, null, 2)}\n`);
  else {
    const wide = format === "wide";
    context.stdout(renderPeers(document, { wide, nowMs: context.clock.now() }));
  }
}
