import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPrefix, type Ipv4, ipv4, prefix4 } from "../lib/index.ts";
import { formatRoute, type Route } from "../netlink/index.ts";
import type { RoutePlan } from "../plan/index.ts";
import { defaultOwnership, ownsRoute, yieldsToPlan } from "./ownership.ts";
import { RouteDiff, retainStale } from "./route-diff.ts";
import { RouteTable } from "./route-table.ts";

const names = new Map([
  [2, "eth0"],
  [3, "tunl0"],
  [4, "vxlan.calico"],
  [5, "cali0"],
]);
const indexes = new Map([...names].map(([index, name]) => [name, index]));

function diff(planned: readonly RoutePlan[], held: readonly Route[]) {
  const table = new RouteTable();
  for (const route of held) table.append(route);
  const result = new RouteDiff({
    table,
    owns: (route) => ownsRoute(defaultOwnership, route, names.get(route.device ?? 0)),
    yields: (route) => yieldsToPlan(defaultOwnership, route, names.get(route.device ?? 0)),
    deviceIndex: (name) => indexes.get(name),
    deviceName: (index) => names.get(index),
  });
  const replace = planned.flatMap((route) => result.decide(route)?.route ?? []);
  const stale: Route[] = [];
  table.visit(result.addStale(stale));
  const { failures, failed } = result;
  return { replace, stale, failures, failed };
}

const remote: RoutePlan = {
  kind: "unicast",
  destination: prefix4("10.244.2.0/26"),
  gateway: ipv4("172.139.20.76"),
  device: "tunl0",
  onlink: true,
  scope: "global",
  protocol: 12,
  reason: "test",
};
const held: Route = {
  type: "unicast",
  destination: remote.destination,
  table: 254,
  metric: 0,
  protocol: 12,
  scope: "global",
  gateway: ipv4("172.139.20.76"),
  device: 3,
  onlink: true,
};

/** What becomes of a held route when {@link remote} is planned. */
const cases: readonly (readonly [
  string,
  Partial<Route>,
  "kept" | "replaced" | "removed" | "refused",
])[] = [
  ["the same", {}, "kept"],
  ["the same, its link down", { flags: ["linkdown"] }, "kept"],
  ["another device", { device: 4 }, "replaced"],
  ["another gateway", { gateway: ipv4("172.139.20.77") }, "replaced"],
  ["ours under another protocol", { protocol: 80 }, "replaced"],
  ["not onlink", { onlink: false }, "replaced"],
  ["with an MTU", { mtu: 1480 }, "replaced"],
  ["with a preferred source", { source: ipv4("10.244.1.0") }, "replaced"],
  ["a blackhole of ours", { type: "blackhole" }, "replaced"],
  ["ours with BIRD's metric", { metric: 32 }, "removed"],
  ["a static route", { protocol: 4 }, "refused"],
  ["altered by hand", { protocol: 3, gateway: ipv4("172.139.20.77") }, "replaced"],
  ["Felix's on its VXLAN device", { protocol: 3, device: 4 }, "replaced"],
  ["Felix's in its own subnet", { protocol: 80, device: 2 }, "replaced"],
  ["BIRD's with Calico's metric", { metric: 1024, device: 2, onlink: false }, "removed"],
  ["the kernel's on the VXLAN device", { protocol: 2, device: 4 }, "refused"],
];

describe("RouteDiff", () => {
  for (const [name, change, outcome] of cases) {
    it(`${name}: ${outcome}`, () => {
      const result = diff([remote], [{ ...held, ...change }]);
      const writes = outcome === "replaced" || outcome === "removed";
      assert.equal(result.replace.length, writes ? 1 : 0);
      assert.equal(result.stale.length, outcome === "removed" ? 1 : 0);
      assert.equal(result.failures.length, outcome === "refused" ? 1 : 0);
    });
  }

  it("says what stands in the way", () => {
    const { failures } = diff([remote], [{ ...held, protocol: 4, device: 2, onlink: false }]);
    assert.deepEqual(failures, [
      {
        object: "route 10.244.2.0/26",
        message:
          "route 10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink was not written: " +
          "10.244.2.0/26 via 172.139.20.76 dev eth0 proto static is there and is not ours",
      },
    ]);
  });

  it("takes over a pod's route that the CNI plugin wrote, and no other boot route", () => {
    const pod: Route = {
      type: "unicast",
      destination: prefix4("10.244.1.5/32"),
      protocol: 3,
      scope: "link",
      device: 5,
    };
    assert.deepEqual(diff([], [pod]).stale, [{ ...pod, table: 254, metric: 0 }]);
    assert.deepEqual(diff([], [{ ...pod, device: 2 }]).stale, []);
    assert.deepEqual(diff([], [{ ...pod, destination: prefix4("10.244.1.0/24") }]).stale, []);
  });

  it("leaves a second route under a planned key alone", () => {
    const second = { ...held, gateway: ipv4("172.139.20.99") };
    assert.deepEqual(diff([remote], [held, second]).stale, []);
    assert.deepEqual(diff([], [held, second]).stale, [held, second]);
  });

  it("refuses two plans for one destination", () => {
    const { replace, failures } = diff([remote, { ...remote, device: "eth0" }], []);
    assert.equal(replace.length, 1);
    assert.match(failures[0]!.message, /the plan holds two routes for it$/);
  });

  it("converges on any table: what is replaced and removed leaves the plan and what is foreign", () => {
    const route = fc.record({
      destination: fc.integer({ min: 0, max: 5 }),
      device: fc.constantFrom(2, 3, 4),
      gateway: fc.integer({ min: 1, max: 3 }),
      protocol: fc.constantFrom(4, 12, 80),
      metric: fc.constantFrom(0, 0, 0, 32),
    });
    const destination = (n: number) => prefix4(`10.244.${n}.0/26`);
    const key = (r: Route) => `${formatPrefix(r.destination)} ${r.metric ?? 0}`;
    fc.assert(
      fc.property(
        fc.uniqueArray(route, { selector: (r) => `${r.destination} ${r.metric}` }),
        fc.uniqueArray(route, { selector: (r) => r.destination }),
        (heldSketch, plannedSketch) => {
          const table = heldSketch.map(
            (r): Route => ({
              ...r,
              type: "unicast",
              destination: destination(r.destination),
              gateway: r.gateway as Ipv4,
              scope: "global",
            }),
          );
          const planned = plannedSketch.map(
            (r): RoutePlan => ({
              kind: "unicast",
              destination: destination(r.destination),
              device: names.get(r.device)!,
              gateway: r.gateway as Ipv4,
              scope: "global",
              protocol: 12,
              reason: "",
            }),
          );
          const first = diff(planned, table);
          const after = new Map(table.map((r) => [key(r), r]));
          for (const r of first.replace) after.set(key(r), r);
          const { remove } = retainStale(first.stale, first.failed);
          for (const r of remove) after.delete(key(r));
          const second = diff(planned, [...after.values()]);
          assert.deepEqual(second.replace, []);
          assert.deepEqual(
            retainStale(second.stale, second.failed).remove.map((r) => formatRoute(r)),
            [],
          );
          // What stands on our VXLAN device is ours whoever wrote it.
          for (const foreign of table.filter((r) => r.protocol === 4 && r.device !== 4)) {
            assert.equal(after.get(key(foreign)), foreign);
          }
          for (const plan of planned) {
            const now = after.get(`${formatPrefix(plan.destination)} 0`);
            assert.ok(now !== undefined && (now.protocol === 4 || now.gateway === plan.gateway));
          }
        },
      ),
    );
  });
});

it("retainStale keeps what overlaps a failed destination", () => {
  const stale = ["10.244.2.0/26", "10.244.3.0/26", "10.244.2.7/32"].map((text) => ({
    ...held,
    destination: prefix4(text),
  }));
  const { remove, retain } = retainStale(stale, [prefix4("10.244.2.0/27")]);
  assert.deepEqual(remove, [stale[1]]);
  assert.deepEqual(retain, [stale[0], stale[2]]);
});
