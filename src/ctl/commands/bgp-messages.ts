/** `bgp messages`: the last messages of a peer, to read or as a dump for other programs. */

import type { MessageDocument } from "../../bgp/view/index.ts";
import { BgpClient, type BgpOptions } from "../bgp/ask.ts";
import { requireFormat, write, writeJsonArray } from "../bgp/format.ts";
import type { CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { StreamTable } from "../output/stream-table.ts";

export async function bgpMessages(
  [peer]: readonly string[],
  options: BgpOptions,
  context: CtlContext,
): Promise<void> {
  const format = requireFormat(options.output, ["text", "wide", "json", "mrt", "pcap"]);
  const binary = format === "mrt" || format === "pcap";
  if (binary && context.terminal) {
    throw failure(`${format} is for programs: redirect it to a file`);
  }
  const client = new BgpClient(options, context);
  if (binary) {
    for await (const bytes of client.bytes("messages", { peer, format })) {
      await write(context, bytes);
    }
    return;
  }
  const messages = client.lines<MessageDocument>("messages", { peer });
  if (format === "json") {
    await writeJsonArray(context, messages);
    return;
  }
  const wide = format === "wide";
  const table = new StreamTable([...headings, ...(wide ? ["CONNECTION", "HEX"] : [])]);
  for await (const message of messages) await write(context, table.add(rowOf(message, wide)));
  await write(context, table.end());
}

const headings = ["TIME", "DIRECTION", "TYPE", "BYTES", "WORDS"];

function rowOf(message: MessageDocument, wide: boolean): readonly string[] {
  const { at, sent, type, bytes, words, connection, incoming, hex } = message;
  const row = [at, sent ? "sent" : "received", type, `${bytes}`, words];
  if (!wide) return row;
  return [...row, `${connection} (${incoming ? "peer dialled" : "we dialled"})`, hex];
}
