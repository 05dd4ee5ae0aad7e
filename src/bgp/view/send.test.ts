/** A long answer: others have their turn between its pieces, and nothing is made that nobody takes. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { sleep, systemClock } from "../../lib/index.ts";
import type { BgpAnswer } from "./answer.ts";
import { sendAnswer } from "./send.ts";

async function served(
  body: BgpAnswer["body"],
  look: (response: IncomingMessage) => Promise<void>,
): Promise<unknown> {
  let outcome: unknown;
  const server = createServer((_, response) => {
    outcome = sendAnswer(response, { code: 200, type: "text/plain", body }).catch((error) => error);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ port, agent: false }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  await look(response);
  server.close();
  server.closeAllConnections();
  return await outcome;
}

describe("an answer in pieces", () => {
  it("lets the event loop turn between any two", async () => {
    let turns = 0;
    let running = true;
    const turn = () => {
      turns++;
      if (running) setImmediate(turn);
    };
    const seen: number[] = [];
    function* pieces(): Generator<string> {
      for (let i = 0; i < 100; i++) {
        seen.push(turns);
        yield i % 3 === 0 ? "" : "x";
      }
    }
    turn();
    await served(pieces(), async (response) => {
      assert.equal((await response.toArray()).join("").length, 66);
    });
    running = false;
    assert.equal(new Set(seen).size, 100);
  });

  it("is made no faster than it is taken, and no more once nobody is there", async () => {
    let made = 0;
    let given = false;
    function* pieces(): Generator<Uint8Array> {
      try {
        for (;;) {
          made++;
          yield new Uint8Array(100_000);
        }
      } finally {
        given = true;
      }
    }
    await served(pieces(), async (response) => {
      response.pause();
      let before = -1;
      while (made !== before) {
        before = made;
        await sleep(systemClock, 100);
      }
      assert.ok(made < 500, `${made} pieces for somebody who takes none`);
      response.destroy();
    });
    assert.ok(given);
  });

  it("breaks off where a piece cannot be made", async () => {
    function* pieces(): Generator<string> {
      yield "x";
      throw new Error("gone");
    }
    const outcome = await served(pieces(), async (response) => {
      await assert.rejects(response.toArray());
    });
    assert.match(String(outcome), /gone/);
  });
});
