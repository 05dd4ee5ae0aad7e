/** What no kernel can be made to answer: interrupted calls, full buffers, failures at every step. */

import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import fc from "fast-check";
import { hasCode, prefix } from "../lib/index.ts";
import { Exchange } from "./exchange.ts";
import { messageBuffer, writeMessage } from "./message.ts";
import { routeReplace } from "./route-request.ts";
import { RouteSocket } from "./route-socket.ts";
import { NetlinkSocket } from "./socket.ts";
import { requestMessage } from "./test-messages.ts";
import type { Transport } from "./transport.ts";
import type { Route } from "./types.ts";

const { EAGAIN, EINTR, ENOBUFS, ENOMEM } = constants.errno;
const PORT = 9;

/** What a system call does instead of its work, or "work". */
type Step = number | "work";

interface Faults {
  readonly sends?: readonly Step[];
  readonly receives?: readonly Step[];
}

/**
 * A kernel with one table of routes: acknowledges what asks for it, answers dumps with `count` routes in
 * datagrams of ten. Its calls fail as told, then work.
 */
function kernel(count: number, faults: Faults) {
  const sends = [...(faults.sends ?? [])];
  const receives = [...(faults.receives ?? [])];
  const queue: Uint8Array[] = [];
  const state = { requests: 0, closed: 0, sent: 0 };
  const route = (i: number): Route => ({
    type: "unicast",
    destination: prefix(`10.${i >> 8}.${i & 255}.0/24`),
    protocol: 80,
  });
  const datagram = (
    messages: readonly (readonly [type: number, sequence: number, Uint8Array])[],
  ) => {
    const target = messageBuffer(64 * 1024);
    let length = 0;
    for (const [type, sequence, payload] of messages) {
      const at = length;
      length = writeMessage(target, length, { type, flags: 0, sequence }, payload);
      target.view.setUint32(at + 12, PORT, true);
    }
    queue.push(target.bytes.slice(0, length));
  };
  const work = (bytes: Uint8Array) => {
    state.sent++;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; at += (view.getUint32(at, true) + 3) & ~3) {
      const flags = view.getUint16(at + 6, true);
      const sequence = view.getUint32(at + 8, true);
      if ((flags & 0x300) === 0x300 && view.getUint16(at + 4, true) === 26) {
        for (let from = 0; from < count; from += 10) {
          const some = Array.from({ length: Math.min(10, count - from) }, (_, i) => {
            const { view, start, end } = requestMessage(routeReplace(route(from + i)));
            return [24, sequence, new Uint8Array(view.buffer.slice(start, end))] as const;
          });
          datagram(some);
        }
        datagram([[3, sequence, new Uint8Array(4)]]);
      } else if ((flags & 4) !== 0) datagram([[2, sequence, new Uint8Array(20)]]);
      else state.requests++;
    }
  };
  const send = (bytes: Uint8Array): number => {
    const step = sends.shift() ?? "work";
    if (step !== "work") return step;
    work(bytes);
    return 0;
  };
  const transport: Transport = {
    fd: -1,
    port: PORT,
    send,
    sendAside: async (bytes) => {
      await new Promise((resolve) => setImmediate(resolve));
      return send(bytes);
    },
    receive(buffer) {
      const step = receives.shift() ?? "work";
      // What a full buffer lost is lost.
      if (step === ENOBUFS) queue.shift();
      if (step !== "work") return { result: -step, port: 0 };
      const next = queue.shift();
      if (next === undefined) return { result: -EAGAIN, port: 0 };
      buffer.set(next);
      return { result: next.length, port: 0 };
    },
    close: () => {
      state.closed++;
    },
  };
  const socket = new NetlinkSocket({ receiveBufferBytes: 0 }, transport);
  return { socket, state, route };
}

function routeSocket(socket: NetlinkSocket, dumpRetries = 0): RouteSocket {
  return new RouteSocket(socket, { dumpRetries, namespace: undefined });
}

const filter = { family: 4 as const };

test("interrupted calls are made again, wherever they are interrupted", async () => {
  const step = fc.constantFrom<Step>(EINTR, "work");
  const faults = fc.record({ sends: fc.array(step), receives: fc.array(step) });
  const property = fc.asyncProperty(
    faults,
    fc.integer({ min: 0, max: 60 }),
    async (told, count) => {
      const { socket, state, route } = kernel(count, told);
      const routes = routeSocket(socket);
      assert.equal((await routes.routes(filter)).length, count);
      await routes.apply(routeReplace(route(1)));
      // Few go by `send`, many by `sendAside`.
      for (const many of [3, 300]) {
        const before = state.requests;
        const requests = Array.from({ length: many }, (_, i) => routeReplace(route(i)));
        const results = await routes.execute(requests);
        assert.deepEqual(results.filter(Boolean), []);
        assert.equal(state.requests - before, many);
      }
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("a call that is interrupted for ever is an error", async () => {
  const always = new Array<Step>(1000).fill(EINTR);
  const deaf = routeSocket(kernel(1, { sends: always }).socket);
  await assert.rejects(deaf.routes(filter), {
    code: "SYSTEM_CALL_FAILED",
    message: "send on netlink: Interrupted system call",
  });
  const mute = routeSocket(kernel(1, { receives: always }).socket);
  await assert.rejects(mute.routes(filter), {
    code: "SYSTEM_CALL_FAILED",
    message: "recv on netlink: Interrupted system call",
  });
});

test("a full buffer is told, whatever datagram was lost, and the socket goes on", async () => {
  for (let at = 0; at < 7; at++) {
    const receives = [...new Array<Step>(at).fill("work"), ENOBUFS];
    const { socket } = kernel(60, { receives });
    const routes = routeSocket(socket);
    await assert.rejects(routes.routes(filter), { code: "NETLINK_OVERRUN" });
    assert.equal((await routes.routes(filter)).length, 60);
  }
  const { socket, route } = kernel(0, { receives: [ENOBUFS] });
  const routes = routeSocket(socket);
  await assert.rejects(routes.apply(routeReplace(route(1))), {
    code: "NETLINK_OVERRUN",
    message: "route replace 10.0.1.0/24 proto 80 scope link: answers of the kernel were lost",
  });
  await routes.apply(routeReplace(route(1)));
});

test("what the kernel never saw is said of each request, and the rest is done", async () => {
  for (const errno of [ENOBUFS, ENOMEM]) {
    const { socket, state, route } = kernel(0, { sends: ["work", errno, "work"] });
    const routes = routeSocket(socket);
    const requests = Array.from({ length: 2000 }, (_, i) => routeReplace(route(i)));
    const results = await routes.execute(requests);
    const failed = results.filter((error) => error !== undefined);
    assert.ok(failed.length > 100 && failed.length < 2000, String(failed.length));
    assert.ok(failed.every((error) => hasCode(error, "SYSTEM_CALL_FAILED")));
    assert.equal(state.requests, 2000 - failed.length);
  }
});

test("a monitor's overrun, and any other failure of a read", () => {
  const { socket } = kernel(0, { receives: [EINTR, ENOBUFS, ENOMEM] });
  assert.equal(
    socket.receive(() => {}),
    "overrun",
  );
  assert.throws(() => socket.receive(() => {}), {
    code: "SYSTEM_CALL_FAILED",
    message: "recv on netlink: Cannot allocate memory",
  });
  assert.equal(
    socket.receive(() => {}),
    "none",
  );
});

test("a socket closed while another thread sends is closed afterwards, once", async () => {
  const { socket, state, route } = kernel(0, {});
  const exchange = new Exchange(socket);
  const requests = Array.from({ length: 300 }, (_, i) => routeReplace(route(i)));
  const running = exchange.execute(requests);
  // Before the other thread is done, which takes a turn of the loop.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  socket.close();
  assert.equal(state.closed, 0);
  const results = await running;
  assert.equal(state.closed, 1);
  assert.ok(results.every((error) => hasCode(error, "INVALID_ARGUMENT")));
  socket.close();
  assert.equal(state.closed, 1);
});
