/** Structured logs: one JSON line per event on standard error. */

import { type Logger as PinoLogger, pino } from "pino";
import { LineWriter } from "./line-writer.ts";

export type Log = PinoLogger;

export interface LogOptions {
  /** `trace` … `fatal`, or `silent`. */
  readonly level: string;
  /** Fields put on every line, such as `node`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Where to; standard error unless told. */
  readonly fd?: number;
}

const STANDARD_ERROR = 2;

export function createLog(options: LogOptions): Log {
  return pino(
    { level: options.level, base: { ...options.fields }, timestamp: pino.stdTimeFunctions.isoTime },
    new LineWriter(options.fd ?? STANDARD_ERROR),
  );
}

export const silentLog: Log = pino({ level: "silent" });
