/** `node diff` compares texts: a planned route and the kernel's equal one must read the same. */

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { type Ipv4, type Prefix4, prefix4 } from "../lib/index.ts";
import { formatRoute } from "../netlink/index.ts";
import { type RoutePlan, renderRoute } from "../plan/index.ts";
import { RouteDiff } from "./route-diff.ts";
import { RouteTable } from "./route-table.ts";

const devices = ["eth0", "tunl0", "vxlan.calico", "cali0123456789a"];

const routePlan: fc.Arbitrary<RoutePlan> = fc
  .record({
    length: fc.constantFrom(0, 8, 26, 32),
    address: fc.integer({ min: 0, max: 0xffff_ffff }),
    gateway: fc.option(fc.integer({ min: 1, max: 0xdfff_ffff }), { nil: undefined }),
    device: fc.constantFrom(...devices),
    onlink: fc.boolean(),
    link: fc.boolean(),
    blackhole: fc.boolean(),
    protocol: fc.constantFrom(3, 12, 80),
    hops: fc.uniqueArray(fc.integer({ min: 1, max: 0xdfff_ffff }), { maxLength: 3 }),
  })
  .map(
    ({ length, address, gateway, device, onlink, link, blackhole, protocol, hops }): RoutePlan => {
      const mask = length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0;
      const destination: Prefix4 = {
        ...prefix4("0.0.0.0/0"),
        address: ((address & mask) >>> 0) as Ipv4,
        length,
      };
      const common = { destination, protocol, reason: "test" };
      if (blackhole) return { ...common, kind: "blackhole", scope: "global" };
      if (hops.length > 1) {
        const sorted = hops.sort((a, b) => a - b);
        const nextHops = sorted.map((each) => ({ gateway: each as Ipv4, device }));
        return { ...common, kind: "unicast", scope: "global", nextHops };
      }
      return {
        ...common,
        kind: "unicast",
        scope: link ? "link" : "global",
        device,
        ...(gateway === undefined ? {} : { gateway: gateway as Ipv4 }),
        ...(onlink ? { onlink } : {}),
      };
    },
  );

it("a route reads the same as planned and as held", () => {
  fc.assert(
    fc.property(routePlan, (planned) => {
      const diff = new RouteDiff({
        table: new RouteTable(),
        owns: () => true,
        yields: () => true,
        deviceIndex: (name) => devices.indexOf(name) + 1,
        deviceName: (index) => devices[index - 1],
      });
      const held = diff.decide(planned)!.route;
      assert.equal(
        formatRoute(held, (index) => devices[index - 1]),
        renderRoute(planned),
      );
    }),
  );
});
