/** Shared by the server tests: a server in a directory of its own, and plain HTTP to it. */

import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Datastore, openApiClient } from "../datastore/index.ts";
import { type Clock, parseJson, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { type RunningServer, startServer } from "./index.ts";

export interface Place {
  readonly directory: string;
  readonly socketPath: string;
  readonly databasePath: string;
}

export async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-server-"));
  const place = {
    directory,
    socketPath: join(directory, "run", "api.sock"),
    databasePath: join(directory, "data", "store.db"),
  };
  try {
    await body(place);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function serve(place: Place, clock: Clock = systemClock): Promise<RunningServer> {
  const { socketPath, databasePath } = place;
  return startServer({ socketPath, databasePath, log: silentLog, clock });
}

export interface Answer {
  readonly code: number;
  readonly body: unknown;
}

export interface HttpRequest {
  readonly method?: string;
  readonly path: string;
  /** Sent as it is. */
  readonly body?: string | Buffer;
  readonly contentType?: string;
}

export function http(socketPath: string, options: HttpRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", path, body, contentType = "application/json" } = options;
    const length = body === undefined ? 0 : Buffer.byteLength(body);
    const headers =
      body === undefined ? {} : { "content-type": contentType, "content-length": length };
    const outgoing = request({ socketPath, method, path, headers, agent: false });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        const json = response.headers["content-type"]?.includes("json");
        resolve({ code: response.statusCode ?? 0, body: json ? parseJson(text) : text });
      });
    });
    outgoing.end(body);
  });
}

export interface Served {
  readonly place: Place;
  readonly store: Datastore;
  readonly call: (options: HttpRequest) => Promise<Answer>;
}

/** A fresh server for the duration of `body`. */
export function withServer(body: (served: Served) => Promise<void>, clock?: Clock): Promise<void> {
  return withPlace(async (place) => {
    const server = await serve(place, clock);
    const store = openApiClient(place);
    try {
      await body({ place, store, call: (options) => http(place.socketPath, options) });
    } finally {
      await store.close();
      await server.close();
    }
  });
}
