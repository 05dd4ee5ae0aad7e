/** The `switchyard` program: hands the process to the command line and its outcome to the shell. */

import { createInterface } from "node:readline";
import { systemClock } from "../lib/index.ts";
import type { CtlContext } from "./context.ts";
import { runCtl } from "./run.ts";

// The launcher set it for this process, not for what a command may start.
delete process.env.NODE_COMPILE_CACHE;

const context: CtlContext = {
  stdout: (text) => process.stdout.write(text),
  write: (data) =>
    new Promise((resolve) => {
      if (process.stdout.write(data)) resolve();
      else process.stdout.once("drain", resolve);
    }),
  stderr: (text) => process.stderr.write(text),
  env: process.env,
  clock: systemClock,
  ...(process.stdout.isTTY && {
    terminal: { columns: () => process.stdout.columns, rows: () => process.stdout.rows },
  }),
  onInterrupt(listener) {
    process.on("SIGINT", listener);
    return () => process.off("SIGINT", listener);
  },
  ...(process.stdin.isTTY && {
    onLine(listener: (line: string) => void) {
      const lines = createInterface({ input: process.stdin });
      lines.on("line", listener);
      return () => lines.close();
    },
  }),
};

// `switchyard get … | head -1` closes the pipe: end as any filter does, without a stack trace.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 141 : 1);
});

const status = await runCtl(process.argv.slice(2), context);
// A command may have set it itself, as `lab status` does for a lab that is not well.
if (status !== 0) process.exitCode = status;
