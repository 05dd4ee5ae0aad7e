/** The levels of `--log-level`, as calicoctl names them, and ours. */

import { failure } from "./crud/errors.ts";

const logLevels: Readonly<Record<string, string>> = {
  panic: "fatal",
  fatal: "fatal",
  error: "error",
  warn: "warn",
  warning: "warn",
  info: "info",
  debug: "debug",
  trace: "trace",
};

/** @throws SwitchyardError with calicoctl's text. */
export function requireLogLevel(level: string | undefined): void {
  if (level === undefined || Object.hasOwn(logLevels, level)) return;
  throw failure(
    `unknown log level: ${level}, expected one of: panic, fatal, error, warn, info, debug`,
  );
}

/** A daemon tells what it does unless it is told otherwise. */
export function daemonLogLevel(level: string | undefined): string {
  return level === undefined ? "info" : (logLevels[level] ?? "info");
}
