/** What a command may touch of the process it runs in, so that tests can run it without one. */

import type { Clock } from "../lib/index.ts";
import type { Terminal } from "./terminal.ts";

export interface CtlContext {
  readonly stdout: (text: string) => void;
  /** Standard output for what may be long, or no text; resolves when it was taken. */
  readonly write?: (data: string | Uint8Array) => Promise<void>;
  readonly stderr: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Sets the exit status of a command that was carried out but answers "no": 0 unless told. */
  readonly answer?: (status: number) => void;
  /** Standard output, where it is a terminal. */
  readonly terminal?: Terminal;
  /** While one listens, Ctrl-C does not end the process. Returns how to listen no more. */
  readonly onInterrupt?: (listener: () => void) => () => void;
  /** Lines that an operator types, where there is one. Returns how to listen no more. */
  readonly onLine?: (listener: (line: string) => void) => () => void;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly logLevel?: string;
  readonly context?: string;
  readonly allowVersionMismatch?: boolean;
}

export interface ConnectionOptions extends GlobalOptions {
  readonly config: string;
}
