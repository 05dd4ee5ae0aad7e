import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ErrorCode, errorCatalogue, hasCode, SwitchyardError } from "../../lib/index.ts";
import type { Datastore } from "../types.ts";
import { openApiClient } from "./index.ts";
import { errorFromStatus, statusFromError } from "./status.ts";

test("every error a datastore may raise arrives as it was thrown", () => {
  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    const status = statusFromError(
      new SwitchyardError(code, "what happened", { details: { a: 1 } }),
    );
    assert.ok(status.code >= 400, code);
    const error = errorFromStatus(JSON.parse(JSON.stringify(status)), status.code);
    assert.deepEqual([error.code, error.message, error.details], [code, "what happened", { a: 1 }]);
  }
});

test("answers of another API server are understood by reason, then by code", () => {
  const rows: [body: unknown, httpCode: number, code: ErrorCode, message: string][] = [
    [{ reason: "AlreadyExists", message: "taken" }, 409, "RESOURCE_ALREADY_EXISTS", "taken"],
    [{ reason: "Conflict", message: "moved" }, 409, "RESOURCE_CONFLICT", "moved"],
    [{ reason: "Expired", message: "old" }, 410, "WATCH_EXPIRED", "old"],
    [undefined, 404, "RESOURCE_NOT_FOUND", "the API server answered HTTP 404"],
    [{ reason: "Forbidden", message: "no" }, 403, "DATASTORE_UNAVAILABLE", "no"],
    ["text", 500, "DATASTORE_UNAVAILABLE", "the API server answered HTTP 500"],
    [
      { details: { switchyardCode: "toString" } },
      422,
      "RESOURCE_INVALID",
      "the API server answered HTTP 422",
    ],
    [
      { details: null, message: 7 },
      418,
      "DATASTORE_UNAVAILABLE",
      "the API server answered HTTP 418",
    ],
  ];
  for (const [body, httpCode, code, message] of rows) {
    const error = errorFromStatus(body, httpCode);
    assert.deepEqual([error.code, error.message], [code, message]);
  }
});

async function against(listener: RequestListener, body: (store: Datastore) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-client-"));
  const socketPath = join(directory, "api.sock");
  const server = createServer(listener).listen(socketPath);
  await once(server, "listening");
  const store = openApiClient({ socketPath });
  try {
    await body(store);
  } finally {
    await store.close();
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  }
}

async function watchError(store: Datastore): Promise<unknown> {
  try {
    for await (const event of store.watch("Node", { resourceVersion: "1" })) {
      assert.equal(event.type, "bookmark");
    }
  } catch (error) {
    return error;
  }
  return undefined;
}

const bookmark = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}}\n';

test("a watch ends with the error that the server writes into the stream", async () => {
  const expired = statusFromError(new SwitchyardError("WATCH_EXPIRED", "list again"));
  const listener: RequestListener = (_request, response) => {
    response.write(bookmark);
    // In two pieces: a line need not come whole.
    const line = `${JSON.stringify({ type: "ERROR", object: expired })}\n`;
    response.write(line.slice(0, 20));
    response.end(line.slice(20));
  };
  await against(listener, async (store) => {
    const error = await watchError(store);
    assert.ok(hasCode(error, "WATCH_EXPIRED"));
    assert.equal(error.message, "list again");
  });
});

test("a stream that ends, breaks, or is not understood is the datastore being away", async () => {
  const rows: [title: string, listener: RequestListener, message: RegExp][] = [
    ["ends", (_, response) => response.end(bookmark), /the server ended the stream$/],
    [
      "breaks",
      (_, response) => {
        response.write(bookmark);
        response.destroy();
      },
      /cannot reach the API server at unix:.*: (ECONNRESET|the server ended the stream)$/,
    ],
    ["is no JSON", (_, response) => response.end("{\n"), /does not speak JSON/],
    [
      "is an unknown event",
      (_, response) => response.end('{"type":"RENAMED","object":{}}\n'),
      /unknown watch event RENAMED/,
    ],
  ];
  for (const [title, listener, message] of rows) {
    await against(listener, async (store) => {
      const error = await watchError(store);
      assert.ok(hasCode(error, "DATASTORE_UNAVAILABLE"), title);
      assert.match(error.message, message, title);
    });
  }
});
