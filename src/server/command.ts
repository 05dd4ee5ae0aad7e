/** `switchyard server`: runs the API server until it is told to stop. */

import { systemClock } from "../lib/index.ts";
import { createLog } from "../lib/log/index.ts";
import { startServer } from "./server.ts";

export interface RunServerOptions {
  readonly socketPath: string;
  readonly databasePath: string;
  /** `info` unless told. */
  readonly logLevel?: string;
  /** Where the one line goes that says the server is ready; standard output unless told. */
  readonly print?: (line: string) => void;
}

/** Resolves when SIGINT or SIGTERM has been obeyed and everything is closed. */
export async function runServer(options: RunServerOptions): Promise<void> {
  const { socketPath, databasePath } = options;
  const print = options.print ?? ((line: string) => process.stdout.write(`${line}\n`));
  const log = createLog({ level: options.logLevel ?? "info", fields: { component: "server" } });
  // Before the socket appears: whoever waits for it may stop us at once.
  const stopped = nextStopSignal();
  const server = await startServer({ socketPath, databasePath, log, clock: systemClock });
  print(`switchyard server ready on unix:${socketPath}, data in ${databasePath}`);
  const signal = await stopped;
  log.info({ signal }, "stopping");
  await server.close();
}

function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
      resolve(signal);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
