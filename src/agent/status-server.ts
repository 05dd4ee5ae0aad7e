/** Serves the agent's status, health and metrics over a unix socket (mode 0660). */

import { createServer, type Server } from "node:http";
import { answerBgp, type BgpAnswer, type BgpSource, sendAnswer } from "../bgp/view/index.ts";
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
  /** Undefined while no BGP is spoken. */
  bgp(): BgpSource | undefined;
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
      .then((answer) => sendAnswer(response, answer))
      // Broken off: whoever asked sees that.
      .catch(() => undefined);
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

async function route(method: string, url: string, source: StatusSource): Promise<BgpAnswer> {
  if (method !== "GET") return text(405, "only GET is served here\n");
  if (url.startsWith("/bgp/")) return answerBgp(url, source.bgp());
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
      return {
        ...{ code: 200, type: "text/plain; version=0.0.4" },
        body: renderMetrics(status, source.bgp()?.speaker),
      };
    default:
      return text(404, "paths: /status /diff /healthz /readyz /metrics /bgp/...\n");
  }
}

const json = (value: unknown): BgpAnswer => ({
  code: 200,
  type: "application/json",
  body: `${JSON.stringify(value)}\n`,
});

const text = (code: number, body: string): BgpAnswer => ({ code, type: "text/plain", body });

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}
