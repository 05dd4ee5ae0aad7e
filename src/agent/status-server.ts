/** Serves the agent's status, health and metrics over a unix socket (mode 0660). */

import { createServer, type Server } from "node:http";
import { errorText } from "../lib/index.ts";
import {
  prepareSocketPath,
  publishSocket,
  removeSocket,
  temporarySocketPath,
} from "../lib/socket/index.ts";
import { renderMetrics } from "./metrics.ts";
import type { AgentDiff, AgentStatus } from "./status.ts";

export interface StatusSource {
  status(): AgentStatus;
  diff(): Promise<AgentDiff>;
}

/** @throws SOCKET_UNUSABLE if another agent answers there: two would undo each other's work. */
export async function serveStatus(
  socketPath: string,
  source: StatusSource,
): Promise<{ close(): Promise<void> }> {
  await prepareSocketPath(socketPath, "agent");
  const server = createServer((request, response) => {
    void route(request.method ?? "GET", request.url ?? "/", source)
      .catch((error: unknown) => text(503, `${errorText(error)}\n`))
      .then((answer) => {
        response.writeHead(answer.code, { "content-type": answer.type });
        response.end(answer.body);
      });
  });
  await listen(server, temporarySocketPath(socketPath));
  await publishSocket(socketPath);
  return {
    close: async () => {
      await removeSocket(socketPath);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

async function route(method: string, url: string, source: StatusSource): Promise<Answer> {
  if (method !== "GET") return text(405, "only GET is served here\n");
  const status = source.status();
  switch (url) {
    case "/status":
      return json(status);
    case "/diff":
      return json(await source.diff());
    case "/healthz":
      return text(200, "ok\n");
    case "/readyz":
      return status.ready ? text(200, "ok\n") : text(503, `${status.notReady}\n`);
    case "/metrics":
      return { code: 200, type: "text/plain; version=0.0.4", body: renderMetrics(status) };
    default:
      return text(404, "paths: /status /diff /healthz /readyz /metrics\n");
  }
}

const json = (value: unknown): Answer => ({
  code: 200,
  type: "application/json",
  body: `${JSON.stringify(value)}\n`,
});

const text = (code: number, body: string): Answer => ({ code, type: "text/plain", body });

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}
