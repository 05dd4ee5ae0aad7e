import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasCode, type IpAddress, ipAddress } from "../lib/index.ts";
import type { Message } from "./message.ts";
import { decodeSocket, type HostSocket, socketDump } from "./socket-diag.ts";
import { build } from "./writer.ts";

/** struct inet_diag_msg as the kernel fills it. */
function answer(socket: HostSocket, family: 4 | 6, state: number): Message {
  const payload = build((writer) => {
    const address = (value: IpAddress) => {
      if (family === 6) {
        writer.u128be(typeof value === "number" ? (0xffffn << 32n) | BigInt(value) : value);
      } else {
        writer.u32be(value as number);
        for (let word = 1; word < 4; word++) writer.u32(0);
      }
    };
    for (const byte of [family === 4 ? 2 : 10, state, 0, 0]) writer.u8(byte);
    for (const port of [socket.sourcePort, socket.destinationPort]) {
      writer.u8(port >> 8);
      writer.u8(port & 0xff);
    }
    address(socket.source);
    address(socket.destination);
    for (let word = 0; word < 7; word++) writer.u32(7);
    writer.u32(socket.inode);
  });
  return messageOf(payload);
}

function messageOf(payload: Uint8Array): Message {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return { type: 20, flags: 2, sequence: 1, port: 1, view, start: 0, end: payload.length };
}

const address4 = fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => value as IpAddress);
const address6 = fc
  .bigInt({ min: 1n << 64n, max: (1n << 128n) - 1n })
  .map((value) => value as IpAddress);
const port = fc.integer({ min: 0, max: 65535 });
const states = ["established", "syn-sent", "close", "listen"] as const;
const numbers = { established: 1, "syn-sent": 2, close: 7, listen: 10 } as const;

test("a socket reads as it was written, IPv4 over a socket of IPv6 as IPv4", () => {
  const socket = fc.record({
    of: fc.constantFrom(
      { family: 4, address: address4 } as const,
      { family: 6, address: address6 } as const,
      { family: 6, address: address4 } as const,
    ),
    state: fc.constantFrom(...states),
    ports: fc.tuple(port, port),
    inode: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
  const property = fc.property(
    socket.chain(({ of, ...rest }) =>
      fc.tuple(of.address, of.address).map(([source, destination]) => ({
        ...{ family: of.family, source, destination, ...rest },
      })),
    ),
    ({ family, source, destination, state, ports: [sourcePort, destinationPort], inode }) => {
      const written: HostSocket = {
        ...{ protocol: "tcp", state, source, sourcePort, destination, destinationPort, inode },
      };
      assert.deepEqual(decodeSocket(answer(written, family, numbers[state]), "tcp"), written);
    },
  );
  fc.assert(property);
});

test("whatever else comes is an error of its own kind", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 100 }), (payload) => {
    try {
      decodeSocket(messageOf(payload), "udp");
    } catch (error) {
      assert.ok(hasCode(error, "NETLINK_MALFORMED"), String(error));
    }
  });
  fc.assert(property, { numRuns: 2000 });
});

test("a request names family, protocol, states and the address that is asked for", () => {
  const hex = (source?: string) =>
    Buffer.from(
      socketDump({
        ...{ protocol: "udp", family: 6 },
        ...(source && { source: ipAddress(source) }),
      }).payload,
    ).toString("hex");
  const header = `0a110000bfffffff${"00".repeat(48)}`;
  assert.equal(hex(), header);
  // INET_DIAG_BC_S_COND: 4 bytes on where it matches, 4 further where it does not.
  const condition = "0710140002200000ffffffff0a090001";
  assert.equal(hex("10.9.0.1"), `${header}14000100${condition}`);
  const six = `071c20000a800000ffffffff${"fd00000900000000"}${"0000000000000001"}`;
  assert.equal(hex("fd00:9::1"), `${header}20000100${six}`);
});
