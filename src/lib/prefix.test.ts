/** Prefixes: text, masks and containment, held against the runtime's own BlockList. */

import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressAt,
  bitsOf,
  comparePrefixes,
  familyOf,
  formatAddress,
  formatDestination,
  formatPrefix,
  hostPrefix,
  type IpAddress,
  type Ipv4,
  type Ipv6,
  ipAddress,
  isMasked,
  maskPrefix,
  type Prefix,
  parsePrefix,
  parsePrefixOrAddress,
  prefix,
  prefix4,
  prefixContains,
  prefixCovers,
  prefixEquals,
  prefixesOverlap,
  prefixFamily,
  prefixSize,
} from "./index.ts";

const anyIpv4 = fc.integer({ min: 0, max: 0xffffffff }).map((value) => value as Ipv4);
const anyIpv6 = fc.bigInt(0n, (1n << 128n) - 1n).map((value) => value as Ipv6);
// deepEqual tells objects without prototype from ours.
const plain = { noNullPrototype: true };
const prefixes4 = fc.record({ address: anyIpv4, length: fc.integer({ min: 0, max: 32 }) }, plain);
const prefixes6 = fc.record({ address: anyIpv6, length: fc.integer({ min: 0, max: 128 }) }, plain);
const anyPrefix: fc.Arbitrary<Prefix> = fc.oneof(prefixes4, prefixes6);

/** An address that shares the first bits of the prefix: inside about as often as not. */
function near(base: Prefix, noise: bigint): IpAddress {
  const bits = bitsOf(prefixFamily(base));
  const keep = BigInt(Math.max(0, bits - base.length + 1));
  const value = BigInt(base.address) ^ (noise & ((1n << keep) - 1n) & ((1n << BigInt(bits)) - 1n));
  return (bits === 32 ? Number(value) : value) as IpAddress;
}

const malformed = [
  ...["", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1"],
  ...["10.0.0.0/8/8", "10.0.0/8", "::/129", "::/1e1", "fd00::1", "10.0.0.0/8 ", "10.0.0.0/+8"],
];

for (const text of malformed) {
  test(`${JSON.stringify(text)} is no prefix`, () => {
    assert.equal(parsePrefix(text), undefined);
    assert.throws(() => prefix(text), RangeError);
  });
}

test("text goes both ways, host bits included", () => {
  fc.assert(
    fc.property(anyPrefix, (value) => {
      assert.deepEqual(parsePrefix(formatPrefix(value)), value);
      assert.deepEqual(parsePrefixOrAddress(formatPrefix(value)), value);
      assert.deepEqual(
        parsePrefixOrAddress(formatAddress(value.address)),
        hostPrefix(value.address),
      );
    }),
  );
});

test("prefix4 takes IPv4 only", () => {
  assert.deepEqual(prefix4("10.0.0.0/8"), { address: 0x0a000000, length: 8 });
  assert.throws(() => prefix4("fd00::/8"), RangeError);
});

test("a destination is written as ip route writes it", () => {
  const rows = [
    ["0.0.0.0/0", "default"],
    ["::/0", "default"],
    ["10.0.0.1/32", "10.0.0.1"],
    ["fd00::1/128", "fd00::1"],
    ["10.244.0.0/26", "10.244.0.0/26"],
  ] as const;
  for (const [text, expected] of rows) assert.equal(formatDestination(prefix(text)), expected);
});

test("containment is what node:net's BlockList says", () => {
  let inside = 0;
  let outside = 0;
  fc.assert(
    fc.property(anyPrefix, fc.bigInt(0n, (1n << 128n) - 1n), (value, noise) => {
      // BlockList holds an IPv4-mapped IPv6 address for its IPv4 one; to us they are different.
      fc.pre(typeof value.address === "number" || value.address >> 33n !== 0x7fffn);
      const family = prefixFamily(value) === 4 ? "ipv4" : "ipv6";
      const list = new BlockList();
      list.addSubnet(formatAddress(value.address), value.length, family);
      const address = near(value, noise);
      const contained = prefixContains(value, address);
      assert.equal(contained, list.check(formatAddress(address), family));
      if (contained) inside++;
      else outside++;
    }),
    { numRuns: 2000 },
  );
  assert.ok(inside > 100 && outside > 100, `${inside} inside, ${outside} outside`);
});

test("masks keep the network and lose the host", () => {
  fc.assert(
    fc.property(anyPrefix, (value) => {
      const masked = maskPrefix(value);
      assert.ok(isMasked(masked));
      assert.ok(prefixContains(masked, value.address));
      assert.ok(prefixContains(value, masked.address), "host bits do not matter");
      assert.deepEqual(maskPrefix(masked), masked);
      assert.equal(isMasked(value), prefixEquals(value, masked));
      const shift = BigInt(bitsOf(prefixFamily(value)) - value.length);
      assert.equal(BigInt(masked.address), (BigInt(value.address) >> shift) << shift);
    }),
    { numRuns: 1000 },
  );
});

test("covering is containment of both ends, overlap is covering of one by the other", () => {
  fc.assert(
    fc.property(anyPrefix, anyPrefix, fc.bigInt(0n, (1n << 128n) - 1n), (outer, other, noise) => {
      const inner = maskPrefix({ address: near(outer, noise), length: other.length });
      fc.pre(inner.length <= bitsOf(prefixFamily(inner)));
      const shift = BigInt(bitsOf(prefixFamily(inner)) - inner.length);
      const lastValue = BigInt(inner.address) + (1n << shift) - 1n;
      const last = (prefixFamily(inner) === 4 ? Number(lastValue) : lastValue) as IpAddress;
      const covers = prefixContains(outer, inner.address) && prefixContains(outer, last);
      assert.equal(prefixCovers(outer, inner), covers);
      const overlap = covers || prefixContains(inner, maskPrefix(outer).address);
      assert.equal(prefixesOverlap(outer, inner), overlap);
      assert.equal(prefixesOverlap(inner, outer), overlap);
    }),
    { numRuns: 1000 },
  );
});

test("families never mix", () => {
  assert.ok(!prefixContains(prefix("0.0.0.0/0"), ipAddress("::1")));
  assert.ok(!prefixContains(prefix("::/0"), ipAddress("10.0.0.1")));
  assert.ok(!prefixCovers(prefix("0.0.0.0/0"), prefix("::/0")));
  assert.ok(!prefixEquals(prefix("0.0.0.0/0"), prefix("::/0")));
});

test("comparison is a total order: family, address, length", () => {
  const ordered = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "::/0", "fd00::/8"];
  const shuffled = [3, 5, 0, 4, 2, 1].map((index) => prefix(ordered[index]!));
  assert.deepEqual(shuffled.sort(comparePrefixes).map(formatPrefix), ordered);
  fc.assert(
    fc.property(anyPrefix, anyPrefix, (a, b) => {
      assert.equal(Math.sign(comparePrefixes(a, b)), -Math.sign(comparePrefixes(b, a)) + 0);
      assert.equal(comparePrefixes(a, b) === 0, prefixEquals(a, b));
    }),
  );
});

test("addresses are counted from the network", () => {
  fc.assert(
    fc.property(anyPrefix, fc.nat(), (value, offset) => {
      const within = offset % Math.min(prefixSize(value), 2 ** 31);
      const address = addressAt(value, within);
      assert.equal(familyOf(address), prefixFamily(value));
      assert.ok(prefixContains(value, address));
      assert.equal(BigInt(address) - BigInt(maskPrefix(value).address), BigInt(within));
    }),
  );
  assert.equal(prefixSize(prefix("10.0.0.0/26")), 64);
  assert.equal(prefixSize(prefix("::/64")), 2 ** 64);
});
