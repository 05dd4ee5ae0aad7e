import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type IpAddress, ipAddress } from "../lib/index.ts";
import { checksum, readAnswer, segmentOf } from "./segment.ts";

const ports = fc.integer({ min: 1, max: 65_535 });
const v4 = fc.nat({ max: 2 ** 32 - 1 }).map((address) => address as IpAddress);
const v6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((address) => address as IpAddress);

test("a segment of any size and family sums to nothing, as RFC 1071 wants it", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6)),
      ports,
      fc.nat({ max: 2 ** 32 - 1 }),
      fc.nat({ max: 1500 }),
      fc.constantFrom("syn", "ack"),
      ([from, to], port, echo, bytes, kind) => {
        const segment = segmentOf({
          from: { address: from, port },
          to: { address: to, port: 17900 },
          kind,
          echo,
          bytes,
        });
        assert.equal(segment.length, Math.max(20, bytes));
        assert.equal(checksum(from, to, segment), 0);
      },
    ),
  );
});

test("a checksum is what is summed by hand", () => {
  const segment = segmentOf({
    from: { address: ipAddress("10.99.0.1"), port: 40_000 },
    to: { address: ipAddress("10.99.1.1"), port: 17_900 },
    kind: "syn",
    echo: 1,
    bytes: 20,
  });
  const words = [0x0a63, 0x0001, 0x0a63, 0x0101, 6, 20, 40_000, 17_900, 0, 1, 0x5002, 0xffff];
  const sum = words.reduce((total, word) => (total + word) % 0xffff, 0);
  assert.equal((segment[16]! << 8) | segment[17]!, 0xffff - sum);
});

test("only SYN-ACKs and RSTs are read, with or without an IPv4 header, and nothing is read past the end", () => {
  const segment = Buffer.alloc(20);
  segment.writeUInt16BE(17_900, 0);
  segment.writeUInt16BE(40_000, 2);
  segment.writeUInt32BE(77, 8);
  segment[13] = 0x12;
  const read = { fromPort: 17_900, toPort: 40_000, echo: 76 };
  assert.deepEqual(readAnswer(segment, 6), read);
  const header = Buffer.alloc(24);
  header[0] = 0x46;
  assert.deepEqual(readAnswer(Buffer.concat([header, segment]), 4), read);
  segment[13] = 0x04;
  segment.writeUInt32BE(123, 4);
  assert.deepEqual(readAnswer(segment, 6), { ...read, echo: 123 });
  segment[13] = 0x10;
  assert.equal(readAnswer(segment, 6), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.constantFrom(4, 6), (bytes, family) => {
      readAnswer(bytes, family as 4 | 6);
    }),
  );
});
