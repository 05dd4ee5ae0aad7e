/** Serves status, health, metrics and the questions of `switchyard bgp` over a unix socket (mode 0660). */

import { createServer } from "node:http";
import {
  answerBgp,
  type BgpAnswer,
  type BgpSource,
  sendAnswer,
  speakerMetrics,
} from "../bgp/view/index.ts";
import {
  prepareSocketPath,
  publishSocket,
  removeSocket,
  temporarySocketPath,
} from "../lib/socket/index.ts";
import type { BgpdStatus } from "./status.ts";

export interface ControlSocket {
  close(): Promise<void>;
}

export interface ControlSource {
  status(): BgpdStatus;
  bgp(): BgpSource;
}

/** @throws SOCKET_UNUSABLE if another bgpd answers there */
export async function serveControl(path: string, source: ControlSource): Promise<ControlSocket> {
  await prepareSocketPath(path, "bgpd");
  const server = createServer((request, response) => {
    const answer = request.method === "GET" ? route(request.url ?? "/", source) : onlyGet;
    // Broken off: whoever asked sees that.
    sendAnswer(response, answer).catch(() => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(temporarySocketPath(path), resolve);
  });
  await publishSocket(path);
  return {
    close: async () => {
      await removeSocket(path);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function route(url: string, source: ControlSource): BgpAnswer {
  if (url.startsWith("/bgp/")) return answerBgp(url, source.bgp());
  switch (url) {
    case "/status":
      return { ...json, body: `${JSON.stringify(source.status())}\n` };
    case "/healthz":
      return text(200, "ok\n");
    case "/readyz":
      return source.status().converged
        ? text(200, "ok\n")
        : text(503, "routes are being learned\n");
    case "/metrics": {
      const body = speakerMetrics(source.bgp().speaker);
      return { code: 200, type: "text/plain; version=0.0.4", body };
    }
    default:
      return text(404, "paths: /status /healthz /readyz /metrics /bgp/...\n");
  }
}

const json = { code: 200, type: "application/json" };
const text = (code: number, body: string): BgpAnswer => ({ code, type: "text/plain", body });
const onlyGet = text(405, "only GET is served here\n");
