import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasCode } from "../../lib/index.ts";
import { Transport } from "./transport.ts";

async function withAnswer(
  answer: (response: ServerResponse) => void,
  body: (transport: Transport) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-transport-"));
  const socketPath = join(directory, "api.sock");
  const server = createServer((_request, response) => answer(response));
  server.listen(socketPath);
  await once(server, "listening");
  const transport = new Transport(socketPath);
  try {
    await body(transport);
  } finally {
    transport.close();
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  }
}

const silent = (error: Error) => {
  assert.ok(hasCode(error, "DATASTORE_UNAVAILABLE"), `${error}`);
  assert.match(error.message, /ETIMEDOUT/);
  return true;
};

test("a watch whose server hangs ends, instead of looking connected for ever", async () => {
  const answer = (response: ServerResponse) => {
    response.write('{"a":1}\n');
  };
  await withAnswer(answer, async (transport) => {
    const seen: unknown[] = [];
    const follow = async () => {
      const lines = transport.lines({ method: "GET", path: "/", idleLimitMs: 50 });
      for await (const line of lines) seen.push(line);
    };
    await assert.rejects(follow(), silent);
    assert.deepEqual(seen, [{ a: 1 }]);
  });
});

test("a call that is not answered ends", async () => {
  await withAnswer(
    () => {},
    async (transport) => {
      await assert.rejects(transport.call({ method: "GET", path: "/", idleLimitMs: 50 }), silent);
    },
  );
});
