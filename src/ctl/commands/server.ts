/** `server`: the API server with its embedded store, until a signal ends it. */

import { errorText, SwitchyardError, systemClock } from "../../lib/index.ts";
import { createLog } from "../../lib/log/index.ts";
import { type RunningServer, startServer } from "../../server/index.ts";
import { refuseArguments } from "../cobra.ts";
import type { GlobalOptions } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { daemonLogLevel } from "../log-level.ts";

export interface ServerOptions extends GlobalOptions {
  readonly socket: string;
  readonly database: string;
}

export async function server(args: readonly string[], options: ServerOptions): Promise<void> {
  refuseArguments(args, "server");
  const { socket, database } = options;
  const log = createLog({
    level: daemonLogLevel(options.logLevel),
    fields: { component: "server" },
  });
  // Before the socket appears: whoever waits for it may stop us at once.
  const stopped = nextStopSignal();
  let running: RunningServer;
  try {
    running = await startServer({
      socketPath: socket,
      databasePath: database,
      log,
      clock: systemClock,
    });
  } catch (error) {
    if (error instanceof SwitchyardError) throw error;
    throw failure(
      `cannot serve on ${socket} with database ${database}: ${errorText(error)}`,
      error,
    );
  }
  log.info({ socket, database, pid: process.pid }, "server started");
  const signal = await stopped;
  log.info({ signal }, "server stops");
  await running.close();
}

/** A second signal ends the process at once. */
function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}
