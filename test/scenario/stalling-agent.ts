/**
 * An agent that can be made to stand still before one kind of operation of an apply, so that it can be killed
 * there. Arguments: node, server's socket, state directory. A line on standard input `KIND MS` arms it; it prints
 * `stalled` when it gets there.
 */

import { join } from "node:path";
import { createInterface } from "node:readline";
import { Agent } from "../../src/agent/agent.ts";
import { KernelDataplane } from "../../src/dataplane/kernel-dataplane.ts";
import { openApiClient } from "../../src/datastore/index.ts";
import { sleep, systemClock } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";
import { faultyParts } from "../kernel/faulty-dataplane.ts";

const [node = "", socketPath = "", stateDirectory = ""] = process.argv.slice(2);
const OWN_NAMESPACE = "/proc/self/ns/net";
let armed: { readonly kind: string; readonly ms: number } | undefined;

const agent = new Agent({
  node,
  store: openApiClient({ socketPath }),
  stateDirectory,
  mtuFile: join(stateDirectory, "mtu"),
  podMtu: "fixed",
  clock: systemClock,
  log: silentLog,
  version: "test",
  drainMs: 100,
  openDataplane: async () =>
    new KernelDataplane(
      { clock: systemClock, log: silentLog },
      faultyParts(OWN_NAMESPACE, async (kind) => {
        if (kind !== armed?.kind) return undefined;
        const { ms } = armed;
        armed = undefined;
        console.log("stalled");
        await sleep(systemClock, ms);
        return undefined;
      }),
    ),
});

createInterface({ input: process.stdin }).on("line", (line) => {
  const words = line.split(" ");
  armed = { kind: words.slice(0, -1).join(" "), ms: Number(words.at(-1)) };
  console.log("armed");
});
process.once("SIGTERM", () => void agent.stop().then(() => process.exit(0)));
await agent.start();
console.log("started");
