/** The bytes of the BPF maps, against what the C source says. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import fc from "fast-check";
import { type Ipv4, ipv4, maskPrefix, type Prefix4, prefix4 } from "../../lib/index.ts";
import {
  decodeConfig,
  decodeCounters,
  destinationCodec,
  encodeConfig,
  encodeIndex,
  encodePrefix,
  type IpipConfig,
  LAYOUT,
  prefixNumber,
  senderCodec,
} from "./layout.ts";

const address = fc.nat(0xffffffff).map((value) => value as Ipv4);
const index = fc.integer({ min: 1, max: 0x7fffffff });
const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":"));
const config: fc.Arbitrary<IpipConfig> = fc.record(
  {
    local: address,
    uplink: index,
    tunnel: index,
    tunnelMac: mac,
    accept: fc.boolean(),
    ownsQdisc: fc.boolean(),
  },
  { noNullPrototype: true },
);

it("writes a configuration as struct ipip_config", () => {
  const bytes = encodeConfig({
    local: ipv4("172.139.20.75"),
    uplink: 2,
    tunnel: 0x0103,
    tunnelMac: "02:11:22:33:44:55",
    accept: true,
    ownsQdisc: true,
  });
  assert.equal(
    bytes.toString("hex"),
    "01000000ac8b144b020000000301000003000000021122334455" + "0000",
  );
});

it("reads back every configuration it writes", () => {
  fc.assert(
    fc.property(config, (value) => assert.deepEqual(decodeConfig(encodeConfig(value)), value)),
  );
});

it("takes no bytes of another layout or length for a configuration", () => {
  const unset = Buffer.alloc(28);
  assert.equal(decodeConfig(unset), undefined);
  unset[0] = LAYOUT + 1;
  assert.equal(decodeConfig(unset), undefined);
  unset[0] = LAYOUT;
  assert.ok(decodeConfig(unset));
  assert.equal(decodeConfig(unset.subarray(1)), undefined);
  assert.equal(decodeConfig(Buffer.concat([unset, Buffer.alloc(4)])), undefined);
});

it("has the layout number and counters of the C source", () => {
  const source = readFileSync(`${import.meta.dirname}/../../../bpf/ipip.bpf.c`, "utf8");
  assert.equal(/^#define IPIP_LAYOUT (\d+)$/m.exec(source)?.[1], String(LAYOUT));
  const [, body = ""] = /enum ipip_counter \{([^}]*)\}/.exec(source) ?? [];
  const names = [...body.matchAll(/COUNT_(\w+)/g)].map(([, name = ""]) => name.toLowerCase());
  const ours = decodeCounters((index) => {
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(BigInt(index + 1));
    return value;
  });
  const inOrder = Object.entries(ours).sort(([, a], [, b]) => a - b);
  assert.deepEqual(
    [
      ...inOrder.map(([name]) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
      "max",
    ],
    names,
  );
});

it("sums a counter over the CPUs", () => {
  const perCpu = Buffer.alloc(24);
  for (const [cpu, value] of [5n, 0n, 2n ** 40n].entries()) perCpu.writeBigUInt64LE(value, cpu * 8);
  assert.equal(decodeCounters(() => perCpu).encapsulated, 2 ** 40 + 5);
});

it("writes a prefix as struct ipip_prefix: length in host order, address in network order", () => {
  assert.equal(encodePrefix(prefix4("10.244.2.64/26")).toString("hex"), "1a0000000af40240");
});

it("keeps every entry through its bytes", () => {
  const prefix = fc
    .tuple(address, fc.nat(32))
    .map(([address, length]): Prefix4 => maskPrefix({ address, length }));
  fc.assert(
    fc.property(prefix, address, (prefix, node) => {
      const { encodeKey, decodeKey, encodeValue, decodeValue } = destinationCodec;
      const key = prefixNumber(prefix);
      assert.ok(encodeKey(key).equals(encodePrefix(prefix)));
      assert.equal(decodeKey(encodeKey(key)), key);
      assert.equal(decodeValue(encodeValue(node)), node);
      assert.equal(senderCodec.decodeKey(senderCodec.encodeKey(node)), node);
    }),
  );
  assert.ok(senderCodec.encodeValue(1).equals(encodeIndex(1)));
});
