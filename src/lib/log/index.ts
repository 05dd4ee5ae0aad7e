/** Structured logs: one JSON line per event on standard error. */

import { type Logger as PinoLogger, pino } from "pino";

export type Log = PinoLogger;

export interface LogOptions {
  /** `trace` … `fatal`, or `silent`. */
  readonly level: string;
  /** Fields put on every line, such as `node`. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export function createLog(options: LogOptions): Log {
  return pino(
    { level: options.level, base: { ...options.fields }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}

export const silentLog: Log = pino({ level: "silent" });
