/** `bgpd`: the BGP speaker as a daemon of its own, until a signal ends it. */

import { checkFile, runBgpd } from "../../bgpd/index.ts";
import { refuseArguments } from "../cobra.ts";
import type { CtlContext, GlobalOptions } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { daemonLogLevel } from "../log-level.ts";
import { clientVersion } from "../version.ts";

export interface BgpdCommandOptions extends GlobalOptions {
  readonly config?: string;
  readonly socket: string;
  readonly check?: boolean;
}

export async function bgpd(
  args: readonly string[],
  options: BgpdCommandOptions,
  context: CtlContext,
): Promise<void> {
  refuseArguments(args, "bgpd");
  const { config, socket, logLevel } = options;
  if (config === undefined)
    throw failure("bgpd needs a configuration file: -c FILE; see `switchyard bgpd --help`");
  if (options.check) {
    context.stdout(`${checkFile(config)}\n`);
    return;
  }
  await runBgpd({
    configPath: config,
    socketPath: socket,
    logLevel: logLevel === undefined ? undefined : daemonLogLevel(logLevel),
    version: clientVersion(),
  });
}
