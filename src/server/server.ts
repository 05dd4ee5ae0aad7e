/** The API server: an embedded store with the model's rules, offered over a unix socket. */

import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type FastifyError, type FastifyInstance, fastify } from "fastify";
import {
  type Datastore,
  failureStatus,
  openSqliteStore,
  statusFromError,
  withRules,
} from "../datastore/index.ts";
import { type Clock, errorText, hasCode, parseJson, SwitchyardError } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { addApiRoutes, sendJson } from "./api-routes.ts";
import { addDiscovery } from "./discovery.ts";
import {
  prepareSocketPath,
  publishSocket,
  removeSocket,
  temporarySocketPath,
} from "./socket-file.ts";

const version = "0.1.0";
const bodyLimitBytes = 4 * 1024 * 1024;

export interface StartServerOptions {
  readonly socketPath: string;
  /** A file, or ":memory:". */
  readonly databasePath: string;
  readonly log: Log;
  readonly clock: Clock;
  /** How many writes a watch may be behind before it must list again; 20,000 unless told. */
  readonly keepLogEntries?: number;
}

export interface RunningServer {
  close(): Promise<void>;
}

/** Answers requests when it resolves. @throws DATASTORE_UNAVAILABLE when path or database are taken. */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const { socketPath, databasePath, log, clock } = options;
  await prepareSocketPath(socketPath);
  if (databasePath !== ":memory:") {
    await mkdir(dirname(databasePath), { recursive: true, mode: 0o750 });
  }
  const { keepLogEntries } = options;
  const sqlite = openSqliteStore(databasePath, {
    clock,
    ...(keepLogEntries === undefined ? {} : { keepLogEntries }),
  });
  const store = withRules(sqlite, { clock });
  const closing = new AbortController();
  let app: FastifyInstance | undefined;
  try {
    await ensureInitialized(store);
    app = buildApp({ store, log, clock, closing: closing.signal });
    await app.listen({ path: temporarySocketPath(socketPath) });
    await publishSocket(socketPath);
  } catch (error) {
    await app?.close();
    await removeSocket(temporarySocketPath(socketPath));
    await store.close();
    throw error;
  }
  const running = app;
  return {
    async close() {
      await removeSocket(socketPath);
      closing.abort();
      running.server.closeAllConnections();
      await running.close();
      await store.close();
    },
  };
}

/** A store that is opened for the first time gets its identity, and is ready. */
async function ensureInitialized(store: Datastore): Promise<void> {
  try {
    await store.create<"ClusterInformation">({
      apiVersion: "projectcalico.org/v3",
      kind: "ClusterInformation",
      metadata: { name: "default" },
      spec: { clusterGUID: randomBytes(16).toString("hex"), datastoreReady: true },
    });
  } catch (error) {
    if (!hasCode(error, "RESOURCE_ALREADY_EXISTS")) throw error;
  }
}

interface AppOptions {
  readonly store: Datastore;
  readonly log: Log;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}

function buildApp(options: AppOptions): FastifyInstance {
  const { store, log } = options;
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    logger: false,
    forceCloseConnections: true,
    // A client keeps its connection; only local processes can have one.
    keepAliveTimeout: 0,
    routerOptions: { maxParamLength: 512 },
  });
  app.removeAllContentTypeParsers();
  // Whatever a client calls it (merge-patch+json, strategic-merge-patch+json), a body is JSON.
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, undefined);
    try {
      done(null, parseJson(body as string));
    } catch (error) {
      const message = `the body is not valid JSON: ${errorText(error)}`;
      done(new SwitchyardError("INVALID_ARGUMENT", message));
    }
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status =
      error instanceof SwitchyardError || !error.statusCode || error.statusCode >= 500
        ? statusFromError(error)
        : failureStatus({
            code: error.statusCode,
            reason: error.statusCode === 413 ? "RequestEntityTooLarge" : "BadRequest",
            message: error.message,
          });
    if (status.code >= 500) {
      log.error({ method: request.method, url: request.url, err: error }, "request failed");
    }
    return sendJson(reply, status, status.code);
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `the server could not find the requested resource: ${request.method} ${request.url}`;
    return sendJson(reply, failureStatus({ code: 404, reason: "NotFound", message }), 404);
  });
  const healthy = async () => "ok";
  app.get("/healthz", healthy);
  app.get("/readyz", async () => {
    await store.get("ClusterInformation", "default");
    return "ok";
  });
  addDiscovery(app, version);
  addApiRoutes(app, options);
  return app;
}
