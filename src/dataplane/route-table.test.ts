import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPrefix, type Ipv4, ipv4, prefix, prefix4 } from "../lib/index.ts";
import type { Route } from "../netlink/index.ts";
import { RouteTable } from "./route-table.ts";

interface Sketch {
  readonly block: number;
  readonly gateway: number;
  readonly metric: number;
  readonly source: boolean;
}

const sketch: fc.Arbitrary<Sketch> = fc.record({
  block: fc.nat(6),
  gateway: fc.nat(2),
  metric: fc.constantFrom(0, 0, 0, 32, 64),
  source: fc.constantFrom(false, false, true),
});

function routeOf({ block, gateway, metric, source }: Sketch): Route {
  return {
    type: "unicast",
    destination: prefix4(`10.244.${block}.0/26`),
    table: 254,
    metric,
    protocol: 12,
    scope: "global",
    gateway: (ipv4("192.0.2.0") + gateway) as Ipv4,
    device: 2,
    ...(source ? { source: ipv4("192.0.2.9") } : {}),
  };
}

/** The kernel's own list, as far as single routes per key go. */
class Model {
  readonly routes = new Map<string, Route>();

  key = (route: Route) => `${formatPrefix(route.destination)} ${route.metric}`;

  at(destination: Route["destination"]): Route[] {
    return [...this.routes.values()]
      .filter((route) => formatPrefix(route.destination) === formatPrefix(destination))
      .sort((a, b) => a.metric! - b.metric!);
  }
}

function assertSame(table: RouteTable, model: Model): void {
  for (let block = 0; block < 7; block++) {
    const { destination } = routeOf({ block, gateway: 0, metric: 0, source: false });
    assert.deepEqual(table.at(destination), model.at(destination));
  }
  const visited: Route[] = [];
  table.visit(({ routes }) => visited.push(...routes()));
  assert.equal(visited.length, model.routes.size);
  assert.equal(table.uses(2), model.routes.size > 0);
}

describe("RouteTable", () => {
  it("follows events and our own writes as a list of routes would", () => {
    const act = fc.record({ kind: fc.constantFrom("new", "gone", "replace", "refused"), sketch });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const table = new RouteTable();
        const model = new Model();
        for (const { kind, sketch: drawn } of acts) {
          const route = routeOf(drawn);
          const key = model.key(route);
          const held = model.routes.get(key);
          if (kind === "new") {
            const known = held === undefined || JSON.stringify(held) === JSON.stringify(route);
            assert.equal(table.note(route, false), known);
            if (held === undefined) model.routes.set(key, route);
          } else if (kind === "gone") {
            if (held === undefined) table.note(route, true);
            else {
              assert.equal(table.note(held, true), true);
              model.routes.delete(key);
            }
          } else {
            const ours = routeOf({ ...drawn, metric: 0, source: false });
            const before = table.at(ours.destination);
            table.replace(ours.destination, table.bodies.ofPlain(ours)!);
            if (kind === "refused") table.restore(ours.destination, before);
            else model.routes.set(model.key(ours), ours);
          }
          assertSame(table, model);
        }
      }),
    );
  });

  it("keeps several routes under one key in the kernel's order", () => {
    const table = new RouteTable();
    const routes = [0, 1, 2].map((gateway) =>
      routeOf({ block: 1, gateway, metric: 0, source: false }),
    );
    for (const route of routes) table.append(route);
    assert.deepEqual(table.at(routes[0]!.destination), routes);
    table.remove(routes[1]!);
    assert.deepEqual(table.at(routes[0]!.destination), [routes[0], routes[2]]);
    table.remove(routes[0]!);
    assert.deepEqual(table.bodyAt(routes[0]!.destination)?.gateway, routes[2]!.gateway);
  });

  it("knows the IPv6 blackhole of an event, which has a device, for the one it holds", () => {
    const table = new RouteTable();
    const route: Route = {
      type: "blackhole",
      destination: prefix("fd00:244::/122"),
      table: 254,
      metric: 1024,
      protocol: 12,
      scope: "global",
      device: 1,
    };
    table.append(route);
    assert.equal(table.note(route, false), true);
    assert.equal(table.note(route, true), true);
    assert.deepEqual(table.all(), []);
  });

  it("cannot tell a replaced route from a second one, and says so", () => {
    const table = new RouteTable();
    const [one, other] = [0, 1].map((gateway) =>
      routeOf({ block: 1, gateway, metric: 0, source: false }),
    ) as [Route, Route];
    assert.equal(table.note(one, false), true);
    assert.equal(table.note(other, false), false);
  });

  it("marks places until the next beginning, wherever removals move them", () => {
    const table = new RouteTable();
    const routes = [0, 1, 2].map((block) =>
      routeOf({ block, gateway: 0, metric: 0, source: false }),
    );
    for (const route of routes) table.append(route);
    table.beginMarks();
    const body = table.bodies.ofPlain(routes[2]!)!;
    assert.equal(table.compare(routes[2]!.destination, body), "same");
    assert.equal(table.compare(routes[2]!.destination, body), "twice");
    table.remove(routes[0]!);
    assert.deepEqual(
      routes.map(({ destination }) => table.isMarked(destination)),
      [false, false, true],
    );
    table.beginMarks();
    assert.equal(table.isMarked(routes[2]!.destination), false);
    assert.equal(table.compare(routes[0]!.destination, body), "other");
  });

  it("can be swept in pieces while what was visited is removed", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 7 }), fc.nat(3), (count, most, modulus) => {
        const table = new RouteTable();
        for (let block = 0; block < count; block++) {
          table.append(routeOf({ block, gateway: 0, metric: 0, source: block % 5 === 0 }));
        }
        const visited: string[] = [];
        const sweep = table.sweep();
        for (let more = true; more; ) {
          const piece: Route[] = [];
          more = sweep.some(most, ({ routes }) => piece.push(...routes()));
          assert.ok(piece.length <= most);
          for (const route of piece) {
            visited.push(formatPrefix(route.destination));
            if (modulus > 0 && visited.length % modulus === 0) table.remove(route);
          }
        }
        assert.equal(visited.length, count);
        assert.equal(new Set(visited).size, count);
      }),
    );
  });
});
