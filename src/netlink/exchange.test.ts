/** Requests and answers over a scripted socket: sequence numbers, interruption, loss, odd answers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { SwitchyardError } from "../lib/index.ts";
import { Exchange } from "./exchange.ts";
import { forEachMessage, type Message, messageBuffer, writeMessage } from "./message.ts";
import { request } from "./request.ts";
import type { NetlinkSocket } from "./socket.ts";
import type { Request } from "./types.ts";

const PORT = 77;

interface Answer {
  readonly type: number;
  readonly flags?: number;
  readonly sequence: number;
  readonly port?: number;
  readonly payload?: Uint8Array;
}

type Datagram = readonly Answer[] | "overrun" | "malformed";

type Script = (sent: readonly Message[]) => Datagram[];

/** A socket that answers each send as `script` says, one array per datagram. */
function scripted(script: Script): {
  exchange: Exchange;
  sends: number[];
  queue: readonly Datagram[];
} {
  const queue: Datagram[] = [];
  const sends: number[] = [];
  const socket = {
    port: PORT,
    async sendAside(bytes: Uint8Array) {
      await Promise.resolve();
      this.send(bytes);
    },
    send(bytes: Uint8Array) {
      sends.push(bytes.length);
      const messages: Message[] = [];
      const copy = bytes.slice();
      forEachMessage(new DataView(copy.buffer), copy.length, (message) => messages.push(message));
      queue.push(...script(messages));
    },
    receive(visit: (message: Message) => void) {
      const next = queue.shift();
      if (next === undefined) return "none";
      if (next === "overrun") return "overrun";
      if (next === "malformed") throw new SwitchyardError("NETLINK_MALFORMED", "bad framing");
      const target = messageBuffer(65536);
      let length = 0;
      for (const { type, flags = 0, sequence, port = PORT, payload = new Uint8Array(4) } of next) {
        const end = writeMessage(target, length, { type, flags, sequence }, payload);
        target.view.setUint32(length + 12, port, true);
        length = end;
      }
      forEachMessage(target.view, length, visit);
      return "received";
    },
  };
  return { exchange: new Exchange(socket as unknown as NetlinkSocket), sends, queue };
}

const error = (errno: number) => {
  const payload = new Uint8Array(20);
  new DataView(payload.buffer).setInt32(0, -errno, true);
  return payload;
};

function makeRequest(bytes = 8, words = "a request"): Request {
  return request({ type: 24, flags: 0, payload: new Uint8Array(bytes), text: () => words });
}

const DONE = 3;
const ERROR = 2;

test("a dump hands over its messages until the end, and none of other requests or sockets", async () => {
  const { exchange } = scripted(([sent]) => [
    [
      { type: 24, sequence: sent!.sequence },
      { type: 24, sequence: sent!.sequence + 5 },
      { type: DONE, sequence: sent!.sequence, port: PORT + 1 },
    ],
    [{ type: 24, sequence: sent!.sequence }],
    [{ type: DONE, sequence: sent!.sequence }],
  ]);
  let seen = 0;
  await exchange.dump(makeRequest(), () => seen++);
  assert.equal(seen, 2);
});

test("an interrupted dump is an error, whichever message says so, and is read to its end", async () => {
  for (const flagged of [0, 1, 2]) {
    const flags = (at: number) => (at === flagged ? 0x10 : 0);
    const { exchange } = scripted(([sent]) => [
      [{ type: 24, sequence: sent!.sequence, flags: flags(0) }],
      [{ type: 24, sequence: sent!.sequence, flags: flags(1) }],
      [{ type: DONE, sequence: sent!.sequence, flags: flags(2) }],
    ]);
    let seen = 0;
    await assert.rejects(
      exchange.dump(makeRequest(), () => seen++),
      {
        code: "NETLINK_DUMP_INTERRUPTED",
        message: "a request: the table changed while it was read",
      },
    );
    assert.equal(seen, 2);
  }
});

test("a message that cannot be read fails the dump, which is read to its end all the same", async () => {
  const { exchange } = scripted(([sent]) => [
    [{ type: 24, sequence: sent!.sequence }],
    [{ type: 24, sequence: sent!.sequence }],
    [{ type: DONE, sequence: sent!.sequence }],
  ]);
  for (let round = 0; round < 2; round++) {
    let seen = 0;
    const reading = exchange.dump(makeRequest(), () => {
      if (seen++ === 0) throw new RangeError("first");
    });
    await assert.rejects(reading, { message: "first" });
    assert.equal(seen, 2);
  }
});

test("a dump that cannot be followed is taken to its end, for the sake of the next", async () => {
  for (const [odd, code] of [
    ["malformed", "NETLINK_MALFORMED"],
    ["overrun", "NETLINK_OVERRUN"],
  ] as const) {
    const { exchange, queue } = scripted(([sent]) => [
      [{ type: 24, sequence: sent!.sequence }],
      odd,
      [{ type: 24, sequence: sent!.sequence }],
      odd,
      [{ type: DONE, sequence: sent!.sequence }],
    ]);
    await assert.rejects(
      exchange.dump(makeRequest(), () => {}),
      { code },
    );
    assert.deepEqual(queue, []);
  }
});

test("a dump that the kernel ends with an error is refused", async () => {
  const { exchange } = scripted(([sent]) => [
    [{ type: DONE, sequence: sent!.sequence, payload: error(22) }],
  ]);
  await assert.rejects(
    exchange.dump(makeRequest(), () => {}),
    { code: "NETLINK_REFUSED", message: "a request: Invalid argument" },
  );
});

test("lost and missing answers are errors, not endless waits", async () => {
  const overrun = scripted(() => ["overrun"]);
  assert.throws(() => overrun.exchange.request(makeRequest()), { code: "NETLINK_OVERRUN" });
  const silent = scripted(() => []);
  assert.throws(() => silent.exchange.request(makeRequest()), {
    code: "NETLINK_MALFORMED",
    message: "a request: the kernel gave no complete answer",
  });
  await assert.rejects(
    silent.exchange.dump(makeRequest(), () => {}),
    { code: "NETLINK_MALFORMED" },
  );
});

test("batches: full sends, one acknowledged no-op each, errors at their own requests", async () => {
  const batches: number[] = [];
  const { exchange, sends } = scripted((sent) => {
    batches.push(sent.length - 1);
    const last = sent.at(-1)!;
    assert.deepEqual([last.type, last.flags], [1, 5]);
    for (const { flags } of sent.slice(0, -1)) assert.equal(flags & 4, 0);
    const bad = sent.slice(0, -1).filter(({ sequence }) => sequence % 10 === 0);
    return [
      bad.map(({ sequence }) => ({ type: ERROR, sequence, payload: error(17) })),
      [{ type: ERROR, sequence: last.sequence, payload: error(0) }],
    ];
  });
  const requests = Array.from({ length: 3000 }, (_, i) => makeRequest(36, `request ${i}`));
  const results = await exchange.execute(requests);
  assert.equal(
    batches.reduce((sum, each) => sum + each),
    3000,
  );
  assert.ok(sends.length > 1 && sends.every((bytes) => bytes <= 32 * 1024), String(sends));
  // Sequence numbers count the barriers, too.
  let sequence = 0;
  const expected: (string | undefined)[] = [];
  for (const size of batches) {
    for (let i = 0; i < size; i++) {
      sequence++;
      expected.push(sequence % 10 === 0 ? `request ${expected.length}: File exists` : undefined);
    }
    sequence++;
  }
  assert.deepEqual(
    results.map((result) => result?.message),
    expected,
  );
});

test("a batch whose answers were lost fails as a whole; the next is executed", async () => {
  let batch = 0;
  const { exchange } = scripted((sent) =>
    batch++ === 0
      ? ["overrun"]
      : [[{ type: ERROR, sequence: sent.at(-1)!.sequence, payload: error(0) }]],
  );
  const results = await exchange.execute(Array.from({ length: 1000 }, () => makeRequest(40)));
  const lost = results.filter((result) => result?.code === "NETLINK_OVERRUN").length;
  assert.ok(lost > 0 && lost < 1000);
  assert.equal(results.filter((result) => result === undefined).length, 1000 - lost);
});

test("a request larger than a batch goes alone", async () => {
  const { exchange, sends } = scripted((sent) => [
    [{ type: ERROR, sequence: sent.at(-1)!.sequence, payload: error(0) }],
  ]);
  const results = await exchange.execute([makeRequest(8), makeRequest(50_000), makeRequest(8)]);
  assert.deepEqual(results, [undefined, undefined, undefined]);
  assert.equal(sends.length, 3);
  assert.deepEqual(await exchange.execute([]), []);
});
