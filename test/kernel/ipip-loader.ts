/**
 * A process that applies one tunnel state after the other and then waits to be killed, as an agent
 * might be: `node ipip-loader.ts NAMESPACE_PATH`, a state as one line of JSON on standard input, the
 * word `applied` on standard output for each.
 */

import { createInterface } from "node:readline";
import { type IpipState, openIpipBackend } from "../../src/dataplane/ipip/index.ts";

const [namespace = ""] = process.argv.slice(2);
const backend = await openIpipBackend({ namespace, prefer: "bpf" });
for await (const line of createInterface({ input: process.stdin })) {
  await backend.apply(JSON.parse(line) as IpipState);
  console.log("applied");
}
