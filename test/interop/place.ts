/** Where programs run: a network namespace and a directory of their own. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../src/lib/index.ts";

const execute = promisify(execFile);
/** A hundred thousand routes as JSON. */
const MAXIMUM_OUTPUT_BYTES = 2 ** 27;
const POLL_MS = 40;
/** The longest that a program needs is 30 s, for GoBGP after a reset. */
const DEADLINE_MS = 60_000;
const LOG = "log";
const LOG_TAIL_CHARACTERS = 2000;

export async function pause(durationMs: number): Promise<void> {
  await new Promise<void>((resolve) => systemClock.schedule(durationMs, resolve));
}

/** Polls until the function returns something else than undefined or false. @throws at the deadline */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: { readonly deadlineMs?: number; readonly state?: () => unknown } = {},
): Promise<T> {
  const endMs = systemClock.monotonicMs() + (options.deadlineMs ?? DEADLINE_MS);
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (systemClock.monotonicMs() > endMs) {
      throw new Error(`not in time: ${what}; ${await options.state?.()}`);
    }
    await pause(POLL_MS);
  }
}

export interface Child {
  readonly process: ChildProcess;
  /** Ends when it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

export class Place {
  /** Name of the network namespace. */
  readonly namespace: string;
  readonly directory: string;
  readonly #children = new Set<Child>();

  constructor(namespace: string, directory: string) {
    this.namespace = namespace;
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): string {
    const path = this.path(name);
    writeFileSync(path, text);
    return path;
  }

  /** The end of what programs have printed here. */
  log(): string {
    return readFileSync(this.path(LOG), "utf8").slice(-LOG_TAIL_CHARACTERS);
  }

  /** Runs to its end and returns what it printed. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await execute("nsenter", [this.#net, program, ...args], {
      maxBuffer: MAXIMUM_OUTPUT_BYTES,
    });
    return stdout;
  }

  /** `undefined` instead of an error. */
  async tryRun(program: string, ...args: readonly string[]): Promise<string | undefined> {
    try {
      return await this.run(program, ...args);
    } catch {
      return undefined;
    }
  }

  /** What it prints goes to `log`, or its standard output to the caller. */
  spawn(
    args: readonly string[],
    options: {
      readonly env?: Readonly<Record<string, string>>;
      readonly output?: "pipe";
    } = {},
  ): Child {
    const log = openSync(this.path(LOG), "a");
    const child = spawn("nsenter", [this.#net, ...args], {
      stdio: ["pipe", options.output ?? log, log],
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    const handle: Child = {
      process: child,
      end: async (signal) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
        if (signal) child.kill(signal);
        await gone;
      },
    };
    this.#children.add(handle);
    child.on("exit", () => this.#children.delete(handle));
    return handle;
  }

  /** Kills what was started here. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.end("SIGKILL")));
  }

  get #net(): string {
    return `--net=/run/netns/${this.namespace}`;
  }
}
