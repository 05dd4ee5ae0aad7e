/** `server`: the API server with its embedded store, until a signal ends it. */

import { SwitchyardError, systemClock } from "../../lib/index.ts";
import { createLog } from "../../lib/log/index.ts";
import { startServer } from "../../server/index.ts";
import type { CtlContext, GlobalOptions } from "../context.ts";
import { refuseArguments, untilSignal } from "../daemon.ts";
import { daemonLogLevel } from "../log-level.ts";

export interface ServerOptions extends GlobalOptions {
  readonly socket: string;
  readonly database: string;
}

export async function server(
  args: readonly string[],
  options: ServerOptions,
  _context: CtlContext,
): Promise<void> {
  refuseArguments(args);
  const { socket, database } = options;
  const log = createLog({ level: daemonLogLevel(options.logLevel), fields: { part: "server" } });
  const running = await startServer({
    socketPath: socket,
    databasePath: database,
    log,
    clock: systemClock,
  }).catch((cause: unknown) => {
    if (cause instanceof SwitchyardError) throw cause;
    throw new SwitchyardError(
      "COMMAND_FAILED",
      `starting the server on ${socket} with database ${database}: ${(cause as Error).message}`,
      { cause },
    );
  });
  log.info({ socket, database, pid: process.pid }, "server started");
  const signal = await untilSignal();
  log.info({ signal }, "server stops");
  await running.close();
}
