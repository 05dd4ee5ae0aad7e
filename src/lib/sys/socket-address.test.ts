/** Socket addresses as bytes: known ones, round trips, and what is no IP address. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type IpAddress, ipAddress } from "../address.ts";
import { decodeSocketAddress, encodeSocketAddress } from "./socket-address.ts";

test("the bytes are those of struct sockaddr_in and sockaddr_in6", () => {
  const hex = (address: string, port: number) =>
    Buffer.from(encodeSocketAddress({ address: ipAddress(address), port })).toString("hex");
  assert.equal(hex("10.1.2.3", 179), "020000b30a0102030000000000000000");
  assert.equal(hex("fd00::1", 4789), "0a0012b500000000fd00000000000000000000000000000100000000");
});

test("what is written is what is read", () => {
  const address = fc.oneof(
    fc.integer({ min: 0, max: 0xffff_ffff }),
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  ) as fc.Arbitrary<IpAddress>;
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65535 }), (address, port) => {
      const bytes = encodeSocketAddress({ address, port });
      assert.deepEqual(decodeSocketAddress(bytes), { address, port });
    }),
  );
});

test("other families and short bytes are undefined", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const read = decodeSocketAddress(bytes);
      const family = bytes.length < 2 ? 0 : bytes[0]! + bytes[1]! * 256;
      const size = family === 2 ? 16 : family === 10 ? 28 : Number.POSITIVE_INFINITY;
      assert.equal(read !== undefined, bytes.length >= size);
    }),
  );
});
