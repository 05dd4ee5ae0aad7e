/** Next hops behind an interface, held against the longest match that routes of pods use. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatPrefix, type Ipv4, type Ipv6, prefix, prefixContains } from "../../lib/index.ts";
import { type HostRoute, resolveNextHop } from "../../plan/index.ts";
import { interfaceRegions } from "./interface-regions.ts";

const route = (destination: string, device: string): HostRoute => ({
  destination: prefix(destination),
  device,
});
const lines = (routes: readonly HostRoute[], glob: string, family: 4 | 6 = 4) =>
  interfaceRegions(routes, glob, family).map(formatPrefix);

describe("next hops behind an interface", () => {
  const host = [
    route("0.0.0.0/0", "eth0"),
    route("172.139.20.0/24", "eth0"),
    route("10.1.0.0/16", "eth1"),
    route("10.1.2.0/24", "wg0"),
    route("fd00::/64", "eth1"),
  ];
  test("are those of its networks, without what others hold of them", () => {
    assert.deepEqual(lines(host, "wg0"), ["10.1.2.0/24"]);
    assert.deepEqual(lines(host, "eth1"), [
      "10.1.0.0/23",
      "10.1.3.0/24",
      "10.1.4.0/22",
      "10.1.8.0/21",
      "10.1.16.0/20",
      "10.1.32.0/19",
      "10.1.64.0/18",
      "10.1.128.0/17",
    ]);
    assert.deepEqual(lines(host, "eth1", 6), ["fd00::/64"]);
  });

  test("are all for every name, and none without a route", () => {
    assert.deepEqual(lines(host, "*"), ["0.0.0.0/0"]);
    assert.deepEqual(lines(host, "*", 6), ["fd00::/64"]);
    assert.deepEqual(lines([], "*"), []);
    assert.deepEqual(lines(host, "eth"), []);
  });

  test("are those whose route leaves by it", () => {
    const destination = fc
      .tuple(fc.nat(15), fc.integer({ min: 0, max: 8 }))
      .map(([bits, length]) => ({ bits, length }));
    const chance = fc.tuple(destination, fc.constantFrom("eth0", "eth1", "wg0"));
    fc.assert(
      fc.property(
        fc.array(chance, { maxLength: 12 }),
        fc.nat(0xff),
        fc.constantFrom("eth*", "eth1", "*0"),
        fc.boolean(),
        (routes, nibble, glob, six) => {
          const made = routes.map(([{ bits, length }, device]): HostRoute => {
            const kept = (bits * 16) & (0xff00 >> length);
            return {
              destination: six
                ? { address: (BigInt(kept) << 120n) as Ipv6, length }
                : { address: (kept * 2 ** 24) as Ipv4, length },
              device,
            };
          });
          const nextHop = six ? ((BigInt(nibble) << 120n) as Ipv6) : ((nibble * 2 ** 24) as Ipv4);
          const device = resolveNextHop(made, nextHop)?.device ?? "";
          const expected = new RegExp(`^${glob.replace("*", ".*")}$`).test(device);
          const found = interfaceRegions(made, glob, six ? 6 : 4);
          assert.equal(
            found.some((region) => prefixContains(region, nextHop)),
            expected,
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
