/**
 * The lab's router as a process of its own: speaks BGP with every node and programs what it learns.
 * Runs inside the router's network namespace: `node src/lab/router/main.ts CONFIG`.
 */

import { readFileSync } from "node:fs";
import { Speaker } from "../../bgp/index.ts";
import { type Clock, formatAddress, systemClock } from "../../lib/index.ts";
import { createLog, type Log } from "../../lib/log/index.ts";
import { openRouteSocket } from "../../netlink/index.ts";
import type { RouterAnswer } from "../readiness.ts";
import { serveJson } from "../unix-http.ts";
import { routerConfigSchema, speakerConfigOf } from "./config.ts";
import { KernelRoutes } from "./kernel-routes.ts";

/** As long as a restarting node is waited for (RFC 4724); then what an earlier process left goes. */
const convergenceLimitMs = 120_000;
const convergencePollMs = 200;

async function run(configFile: string, clock: Clock, log: Log): Promise<void> {
  const config = routerConfigSchema.parse(JSON.parse(readFileSync(configFile, "utf8")));
  const socket = openRouteSocket({ dumpRetries: 5 });
  const kernel = new KernelRoutes(socket, log);
  await kernel.adopt();
  const speaker = new Speaker({ clock, log, config: speakerConfigOf(config) });
  speaker.onRoutes((changes) => {
    void kernel.apply(changes);
  });
  await speaker.start();
  const status = (): RouterAnswer => ({
    sessions: speaker.peers().map((peer) => ({
      peer: peer.name,
      address: formatAddress(peer.address),
      state: peer.state,
      routes: peer.routesReceived,
      lastError: peer.lastError,
    })),
    routes: { ...kernel.routes },
    failures: [...kernel.failures],
  });
  const server = await serveJson(config.socketPath, { "/status": status });
  log.info({ pid: process.pid, peers: config.peers.length }, "router started");

  const startMs = clock.monotonicMs();
  const awaitConvergence = () => {
    const over = clock.monotonicMs() - startMs > convergenceLimitMs;
    if (over || speaker.converged()) void kernel.converge();
    else clock.schedule(convergencePollMs, awaitConvergence, { unref: true });
  };
  awaitConvergence();

  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, "router stops; the kernel keeps forwarding");
  await speaker.stop({ notify: false });
  await server.close();
  socket.close();
}

const [, , configFile] = process.argv;
const log = createLog({ level: "info", fields: { member: "router" } });
if (configFile === undefined) {
  log.fatal("usage: main.ts CONFIG");
  process.exitCode = 2;
} else {
  await run(configFile, systemClock, log);
}
