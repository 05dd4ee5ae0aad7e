import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, formatPrefix, ipv4, prefix4 } from "../lib/index.ts";
import type { Link, NetlinkEvent, Route } from "../netlink/index.ts";
import { RouteKeeper } from "./route-keeper.ts";

const CHECK_MS = 25_000;

function route(block: number, gateway = "192.0.2.1"): Route {
  return {
    type: "unicast",
    destination: prefix4(`10.244.${block}.0/26`),
    table: 254,
    metric: 0,
    protocol: 12,
    scope: "global",
    gateway: ipv4(gateway),
    device: 2,
  };
}

const link = (changes: Partial<Link> & { removed?: boolean }): NetlinkEvent => {
  const { removed = false, ...rest } = changes;
  const base: Link = { index: 2, name: "eth0", mtu: 1500, up: true, arp: true, operState: "UP" };
  return { kind: "link", removed, link: { ...base, ...rest } };
};

const routeEvent = (of: Route, removed = false): NetlinkEvent => ({
  kind: "route",
  removed,
  route: of,
});

/** A kernel whose events wait until they are taken. */
class Bench {
  readonly clock = new FakeClock();
  held: readonly Route[] = [route(1), route(2)];
  waiting: NetlinkEvent[] = [];
  dumps = 0;
  /** Happens while a dump is under way. */
  meanwhile: () => void = () => {};
  readonly keeper = new RouteKeeper({
    clock: this.clock,
    checkMs: CHECK_MS,
    read: async () => {
      this.dumps++;
      const found = this.held;
      await Promise.resolve();
      this.meanwhile();
      return found;
    },
    catchUp: () => {
      for (const event of this.waiting.splice(0)) this.keeper.observe(event);
    },
  });

  async blocks(): Promise<string[]> {
    const table = await this.keeper.current();
    return table
      .all()
      .map(({ destination }) => formatPrefix(destination).split(".")[2]!)
      .sort();
  }
}

describe("RouteKeeper", () => {
  it("reads once, then follows events", async () => {
    const bench = new Bench();
    assert.deepEqual(await bench.blocks(), ["1", "2"]);
    bench.waiting = [routeEvent(route(3)), routeEvent(route(1), true)];
    assert.deepEqual(await bench.blocks(), ["2", "3"]);
    assert.equal(bench.dumps, 1);
  });

  it("takes no notice of other tables", async () => {
    const bench = new Bench();
    await bench.blocks();
    bench.waiting = [routeEvent({ ...route(3), table: 99 })];
    assert.deepEqual(await bench.blocks(), ["1", "2"]);
  });

  const doubts: [string, NetlinkEvent, boolean][] = [
    ["lost events", { kind: "overrun" }, true],
    ["a device with routes that goes down", link({ up: false }), true],
    ["a device with routes that is removed", link({ removed: true }), true],
    ["a device without routes that goes down", link({ index: 9, up: false }), false],
    ["a device that is up", link({}), false],
    ["another route under a key", routeEvent(route(1, "192.0.2.9")), true],
    ["the route that is there", routeEvent(route(1)), false],
    [
      "an address that is gone",
      {
        kind: "address",
        removed: true,
        address: { index: 2, prefix: prefix4("192.0.2.7/24"), scope: "global" },
      },
      true,
    ],
  ];
  for (const [what, event, again] of doubts) {
    it(`${again ? "reads again" : "goes on"} after ${what}`, async () => {
      const bench = new Bench();
      await bench.blocks();
      bench.held = [route(2)];
      bench.waiting = [event];
      assert.deepEqual(await bench.blocks(), again ? ["2"] : ["1", "2"]);
      assert.equal(bench.dumps, again ? 2 : 1);
    });
  }

  it("reads again when it is told to, and after its time", async () => {
    const bench = new Bench();
    await bench.blocks();
    bench.keeper.invalidate();
    await bench.blocks();
    assert.equal(bench.dumps, 2);
    await bench.clock.advance(CHECK_MS - 1);
    await bench.blocks();
    assert.equal(bench.dumps, 2);
    await bench.clock.advance(1);
    await bench.blocks();
    assert.equal(bench.dumps, 3);
  });

  it("puts what happened while it read on top of what it read, in order", async () => {
    const bench = new Bench();
    bench.meanwhile = () => {
      // One it had taken in already when it looked for more, one that waits still.
      bench.keeper.observe(routeEvent(route(3)));
      bench.waiting = [
        routeEvent(route(3), true),
        routeEvent(route(1), true),
        routeEvent(route(4)),
      ];
    };
    assert.deepEqual(await bench.blocks(), ["2", "4"]);
    assert.equal(bench.dumps, 1);
  });

  it("reads again after a reading that failed", async () => {
    const bench = new Bench();
    bench.meanwhile = () => {
      throw new Error("interrupted");
    };
    await assert.rejects(bench.blocks(), /interrupted/);
    bench.meanwhile = () => {};
    assert.deepEqual(await bench.blocks(), ["1", "2"]);
  });
});
