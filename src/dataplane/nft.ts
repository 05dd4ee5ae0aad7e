/** Runs the `nft` program inside a network namespace. */

import { spawn } from "node:child_process";
import { SwitchyardError } from "../lib/index.ts";
import { withNamespace } from "../lib/sys/index.ts";

export interface NftOptions {
  /** Path of the namespace; the process's own unless told. */
  readonly namespace?: string;
  readonly arguments: readonly string[];
  /** Standard input. */
  readonly script?: string;
}

export type RunNft = (options: NftOptions) => Promise<string>;

/** Its standard output. @throws COMMAND_FAILED with its standard error, PREREQUISITE_MISSING. */
export function nft(options: NftOptions): Promise<string> {
  // The child is forked inside this call, by this thread: it starts in the thread's namespace.
  const start = () => spawn("nft", [...options.arguments], { stdio: ["pipe", "pipe", "pipe"] });
  const { namespace } = options;
  const child = namespace === undefined ? start() : withNamespace(namespace, start);
  const output = collect(child.stdout);
  const complaint = collect(child.stderr);
  const command = `nft ${options.arguments.join(" ")}`;
  return new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      const code = error.code === "ENOENT" ? "PREREQUISITE_MISSING" : "COMMAND_FAILED";
      reject(new SwitchyardError(code, `${command}: ${error.message}`, { cause: error }));
    });
    child.on("close", (status, signal) => {
      if (status === 0) return resolve(output());
      const why = complaint().trim() || `ended with ${signal ?? `status ${status}`}`;
      reject(new SwitchyardError("COMMAND_FAILED", `${command}: ${why}`));
    });
    // A child that is gone answers by its status; EPIPE on its input tells nothing more.
    child.stdin.on("error", () => {});
    child.stdin.end(options.script ?? "");
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
