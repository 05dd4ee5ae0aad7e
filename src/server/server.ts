/** The API server: an embedded store with the model's rules, offered over a unix socket. */

import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { FastifyInstance } from "fastify";
import { type Datastore, openSqliteStore, withRules } from "../datastore/index.ts";
import { type Clock, hasCode } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import {
  prepareSocketPath,
  publishSocket,
  removeSocket,
  temporarySocketPath,
} from "../lib/socket/index.ts";
import { buildApp } from "./app.ts";

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

/** Answers requests when it resolves. @throws SOCKET_UNUSABLE or DATASTORE_UNAVAILABLE when path or database are taken. */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const { socketPath, databasePath, log, clock } = options;
  await prepareSocketPath(socketPath, "server");
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
