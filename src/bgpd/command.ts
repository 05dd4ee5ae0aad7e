/** `switchyard bgpd`: the daemon as a process, until a signal ends it. */

import { systemClock } from "../lib/index.ts";
import { createLog } from "../lib/log/index.ts";
import { readConfig } from "./config-file.ts";
import { Daemon } from "./daemon.ts";

export interface BgpdOptions {
  readonly configPath: string;
  readonly socketPath: string;
  /** Of the command line, which goes before the file. */
  readonly logLevel: string | undefined;
  readonly version: string;
}

/** What the file would configure, in a line. @throws SwitchyardError when it is wrong */
export function checkFile(configPath: string): string {
  const { speaker } = readConfig(configPath);
  const { localAs, peers, originate } = speaker;
  return `${configPath}: AS ${localAs}, peers: ${peers.length}, originated routes: ${originate.length}`;
}

export async function runBgpd(options: BgpdOptions): Promise<void> {
  const { configPath, socketPath, version } = options;
  const config = readConfig(configPath);
  const level = options.logLevel ?? config.logLevel ?? "info";
  const log = createLog({ level, fields: { component: "bgpd" } });
  const daemon = new Daemon({ configPath, config, socketPath, clock: systemClock, log, version });
  const stopped = nextStopSignal();
  const onHangup = () => daemon.reload();
  process.on("SIGHUP", onHangup);
  await daemon.start();
  log.info({ file: configPath, socket: socketPath, pid: process.pid, version }, "bgpd started");
  const signal = await stopped;
  process.off("SIGHUP", onHangup);
  log.info({ signal }, "bgpd stops");
  // SIGQUIT says goodbye; the others mean to come back (RFC 4724).
  if (signal === "SIGQUIT") await daemon.shutdown("bgpd is shut down");
  else await daemon.stop();
}

function nextStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
      process.once(name, () => resolve(name));
    }
  });
}
