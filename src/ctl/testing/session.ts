/** A server with an empty store on a socket of its own, and the command line against it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import { startServer } from "../../server/index.ts";
import type { CtlContext } from "../context.ts";
import { runCtl } from "../run.ts";

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export interface Session {
  readonly socketPath: string;
  /** In this process: what a process would print and its exit status. */
  run(...args: readonly string[]): Promise<RunResult>;
  /** Writes a file and returns its path. */
  file(name: string, text: string): string;
  close(): Promise<void>;
}

export async function openSession(): Promise<Session> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-ctl-"));
  const socketPath = join(directory, "api.sock");
  const server = await startServer({
    socketPath,
    databasePath: ":memory:",
    log: silentLog,
    clock: systemClock,
  });
  return {
    socketPath,
    run: (...args) => runWith({ SWITCHYARD_SOCKET: socketPath }, args),
    file(name, text) {
      const path = join(directory, name);
      writeFileSync(path, text);
      return path;
    },
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** `surroundings`: a terminal, a clock, somebody who presses Ctrl-C. */
export async function runWith(
  env: CtlContext["env"],
  args: readonly string[],
  surroundings: Partial<CtlContext> = {},
): Promise<RunResult> {
  let stdout = "";
  let stderr = "";
  const status = await runCtl(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    env,
    clock: systemClock,
    ...surroundings,
  });
  return { stdout, stderr, status };
}

export function poolText(name: string, spec: string): string {
  return `apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: ${name}\nspec: ${spec}\n`;
}
