/** HTTP over unix sockets: asking a process of the lab, and answering as the router does. */

import { chmodSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { SwitchyardError } from "../lib/index.ts";

export interface AskOptions {
  readonly socketPath: string;
  readonly path: string;
  /** 2,000 unless told. */
  readonly timeoutMs?: number;
}

/** The body of a 200 answer. @throws LAB_FAILED for anything else. */
export function ask(options: AskOptions): Promise<string> {
  const { socketPath, path, timeoutMs = 2_000 } = options;
  return new Promise((resolve, reject) => {
    const fail = (answer: string) =>
      reject(new SwitchyardError("LAB_FAILED", `GET ${path} on ${socketPath}: ${answer}`));
    const signal = AbortSignal.timeout(timeoutMs);
    // No agent: the connection must not outlive the answer and keep this process alive.
    const call = request({ socketPath, path, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => fail(error.message));
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(body);
        else fail(`${response.statusCode} ${body.trim()}`);
      });
    });
    call.on("error", (error) =>
      fail(signal.aborted ? `no answer in ${timeoutMs} ms` : error.message),
    );
    call.end();
  });
}

/** Answers `GET PATH` with what the function of that path returns, as JSON, on a socket of mode 0660. */
export async function serveJson(
  socketPath: string,
  answers: Readonly<Record<string, () => unknown>>,
): Promise<{ close(): Promise<void> }> {
  rmSync(socketPath, { force: true });
  const server = createServer((incoming, response) => {
    const answer = incoming.method === "GET" ? answers[incoming.url ?? ""] : undefined;
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(answer === undefined ? "not found\n" : `${JSON.stringify(answer())}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o660);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
