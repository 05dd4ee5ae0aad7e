/** How messages leave: together, in their order, no faster than they are taken. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, it, mock } from "node:test";
import { ipAddress } from "../../lib/index.ts";
import { NodeConnection } from "./node-connection.ts";

const open = new Set<() => void>();

afterEach(() => {
  for (const close of open) close();
  open.clear();
});

/** Both ends of a connection; the far one is read by hand. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.9.7", resolve));
  const { port } = server.address() as { port: number };
  const near = connect(port, "127.0.9.7");
  await once(near, "connect");
  const far = await accepted;
  for (const each of [near, far]) open.add(() => each.destroy());
  open.add(() => server.close());
  return { near, far };
}

function numbered(count: number, bytes: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new Uint8Array(bytes).fill(i % 251));
}

async function read(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes) break;
  }
  return Buffer.concat(chunks);
}

describe("what a connection sends", () => {
  it("goes out together when it was written in one turn, in its order", async () => {
    const { near, far } = await pair();
    const written: number[] = [];
    const write = near.write.bind(near);
    near.write = ((chunk: Uint8Array) => {
      written.push(chunk.length);
      return write(chunk);
    }) as typeof near.write;
    const connection = new NodeConnection(near, ipAddress("127.0.9.7"));
    const messages = numbered(100, 19);
    for (const message of messages) assert.equal(connection.write(message), true);
    assert.deepEqual(await read(far, 1900), Buffer.concat(messages));
    assert.deepEqual(written, [1900]);
  });

  it("stops when the buffer is full, and goes on when it has drained", async () => {
    const { near, far } = await pair();
    const connection = new NodeConnection(near, ipAddress("127.0.9.7"));
    let drained: () => void = () => undefined;
    connection.setHandlers({
      onConnect: () => undefined,
      onData: () => undefined,
      onDrain: () => drained(),
      onClose: () => undefined,
    });
    far.pause();
    const messages = numbered(20_000, 1000);
    const bytes = messages.length * 1000;
    let full = 0;
    const sending = (async () => {
      for (const message of messages) {
        if (connection.write(message)) continue;
        full++;
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      }
    })();
    const received = await read(far, bytes);
    await sending;
    assert.ok(full > 0);
    assert.ok(received.equals(Buffer.concat(messages)));
  });

  it("is all sent before an orderly end", async () => {
    const { near, far } = await pair();
    const connection = new NodeConnection(near, ipAddress("127.0.9.7"));
    const messages = numbered(3, 21);
    for (const message of messages) connection.write(message);
    connection.end();
    assert.deepEqual(await read(far, 1 << 20), Buffer.concat(messages));
  });

  it("reaches a peer that is itself sending all the while, and has not read for some time", async () => {
    const { near, far } = await pair();
    const connection = new NodeConnection(near, ipAddress("127.0.9.7"));
    connection.pause();
    far.pause();
    // More than the kernel holds: at our end something is always unread, for which close(2) sends a reset.
    far.write(new Uint8Array(32 << 20));
    const [last] = numbered(1, 21);
    connection.write(last!);
    connection.end();
    await once(far, "drain");
    assert.deepEqual(await read(far, 1 << 20), Buffer.from(last!));
    await once(near, "close");
  });

  it("is not waited for with so many others that descriptors run out", async () => {
    const pairs = [];
    for (let i = 0; i < 300; i++) pairs.push(await pair());
    const ended = pairs.map(({ near }) => {
      const closed = once(near, "close");
      new NodeConnection(near, ipAddress("127.0.9.7")).end();
      return closed;
    });
    // The oldest go first.
    await Promise.all(ended.slice(0, 300 - 256));
    assert.equal(pairs.filter(({ near }) => near.destroyed).length, 300 - 256);
  });

  it("is waited for no longer than five seconds by an end, though the peer goes on sending", async () => {
    const { near, far } = await pair();
    const connection = new NodeConnection(near, ipAddress("127.0.9.7"));
    far.pause();
    for (const message of numbered(20, 1 << 20)) connection.write(message);
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      connection.end();
      for (let second = 1; second <= 5; second++) {
        assert.equal(near.destroyed, false);
        far.write("more");
        await once(near, "data");
        mock.timers.tick(1000);
      }
      assert.equal(near.destroyed, true);
    } finally {
      mock.timers.reset();
    }
  });
});

describe("what a peer said last", () => {
  /** The peer closes with something of ours unread, which makes its kernel send a reset. */
  async function reset(paused: boolean): Promise<{ heard: Uint8Array[]; reason: string }> {
    const { near, far } = await pair();
    const connection = new NodeConnection(near, ipAddress("127.0.9.7"));
    const heard: Uint8Array[] = [];
    const closed = new Promise<string>((resolve) => {
      connection.setHandlers({
        onConnect: () => undefined,
        onData: (chunk) => heard.push(chunk.slice()),
        onDrain: () => undefined,
        onClose: resolve,
      });
    });
    if (paused) connection.pause();
    far.pause();
    connection.write(new Uint8Array(32 << 20));
    far.write(numbered(1, 21)[0]!, () => far.destroy());
    return { reason: await closed, heard };
  }

  it("is heard although a write failed before it was read", async () => {
    for (let i = 0; i < 20; i++) {
      const { heard, reason } = await reset(i % 2 === 0);
      assert.deepEqual(Buffer.concat(heard), Buffer.from(numbered(1, 21)[0]!), `try ${i}`);
      assert.match(reason, /^(write EPIPE|write ECONNRESET|read ECONNRESET)$/);
    }
  });
});
