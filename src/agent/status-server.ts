/** Serves the agent's status, health and metrics over a unix socket (mode 0660). */

import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { dirname } from "node:path";
import { renderMetrics } from "./metrics.ts";
import type { AgentStatus } from "./status.ts";

export async function serveStatus(
  socketPath: string,
  status: () => AgentStatus,
): Promise<{ close(): Promise<void> }> {
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o755 });
  rmSync(socketPath, { force: true });
  const server = createServer((request, response) => {
    const answer = route(request.method ?? "GET", request.url ?? "/", status());
    response.writeHead(answer.code, { "content-type": answer.type });
    response.end(answer.body);
  });
  await listen(server, socketPath);
  chmodSync(socketPath, 0o660);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

function route(method: string, url: string, status: AgentStatus): Answer {
  if (method !== "GET") return text(405, "only GET is served here\n");
  switch (url) {
    case "/status":
      return { code: 200, type: "application/json", body: `${JSON.stringify(status)}\n` };
    case "/healthz":
      return text(200, "ok\n");
    case "/readyz":
      return status.ready ? text(200, "ok\n") : text(503, `${status.notReady}\n`);
    case "/metrics":
      return { code: 200, type: "text/plain; version=0.0.4", body: renderMetrics(status) };
    default:
      return text(404, "paths: /status /healthz /readyz /metrics\n");
  }
}

const text = (code: number, body: string): Answer => ({ code, type: "text/plain", body });

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}
