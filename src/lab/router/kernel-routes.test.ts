import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ipv4, prefix4, SwitchyardError } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import type { Request, Route } from "../../netlink/index.ts";
import { KernelRoutes, type RouteTable, RTPROT_BIRD } from "./kernel-routes.ts";

/** A table that remembers what it was told; refuses what matches `refuse`. */
class FakeTable implements RouteTable {
  readonly executed: string[] = [];
  readonly left: Route[];
  refuse: RegExp | undefined;
  refusal = "ENETUNREACH";

  constructor(left: Route[] = []) {
    this.left = left;
  }

  async routes({ family }: { readonly family: 4 | 6 }) {
    return family === 4 ? this.left : [];
  }

  async execute(requests: readonly Request[]) {
    return requests.map(({ text }) => {
      this.executed.push(text);
      if (!this.refuse?.test(text)) return undefined;
      const details = { errno: this.refusal };
      return new SwitchyardError("NETLINK_REFUSED", `${text}: refused`, { details });
    });
  }
}

const block1 = prefix4("10.244.1.0/26");
const block2 = prefix4("10.244.2.0/26");
const node1 = ipv4("172.139.20.75");
const node2 = ipv4("172.139.20.76");

function left(destination: typeof block1, gateway: typeof node1): Route {
  return { type: "unicast", destination, gateway, protocol: RTPROT_BIRD };
}

async function routesOver(table: FakeTable): Promise<KernelRoutes> {
  const routes = new KernelRoutes(table, silentLog);
  await routes.adopt();
  return routes;
}

test("a learned route is replaced in, moved by one replace, and deleted when withdrawn", async () => {
  const table = new FakeTable();
  const routes = await routesOver(table);
  await routes.apply([{ prefix: block1, best: { nextHop: node1 } }]);
  await routes.apply([{ prefix: block1, best: { nextHop: node1 } }]);
  await routes.apply([{ prefix: block1, best: { nextHop: node2 } }]);
  assert.deepEqual(routes.routes, { "10.244.1.0/26": "172.139.20.76" });
  await routes.apply([{ prefix: block1, best: undefined }]);
  await routes.apply([{ prefix: block1, best: undefined }]);
  assert.deepEqual(table.executed, [
    "route replace 10.244.1.0/26 via 172.139.20.75 proto bird",
    "route replace 10.244.1.0/26 via 172.139.20.76 proto bird",
    "route delete 10.244.1.0/26 proto bird scope link",
  ]);
  assert.deepEqual(routes.routes, {});
});

test("what an earlier process left stays as it is until BGP has said all it knows", async () => {
  const table = new FakeTable([left(block1, node1), left(block2, node2)]);
  const routes = await routesOver(table);
  assert.deepEqual(routes.routes, {
    "10.244.1.0/26": "172.139.20.75",
    "10.244.2.0/26": "172.139.20.76",
  });
  // The first session up relays the block before its own node has spoken.
  await routes.apply([{ prefix: block1, best: { nextHop: node2 } }]);
  await routes.apply([{ prefix: block1, best: { nextHop: node1 } }]);
  assert.deepEqual(table.executed, []);
  await routes.converge();
  assert.deepEqual(table.executed, ["route delete 10.244.2.0/26 proto bird scope link"]);
  await routes.converge();
  await routes.apply([{ prefix: block1, best: { nextHop: node2 } }]);
  assert.deepEqual(table.executed.slice(1), [
    "route replace 10.244.1.0/26 via 172.139.20.76 proto bird",
  ]);
});

test("a prefix that nobody left is programmed at once", async () => {
  const table = new FakeTable([left(block1, node1)]);
  const routes = await routesOver(table);
  await routes.apply([{ prefix: block2, best: { nextHop: node2 } }]);
  assert.deepEqual(table.executed, ["route replace 10.244.2.0/26 via 172.139.20.76 proto bird"]);
});

test("a route that somebody else removed already is no failure", async () => {
  const table = new FakeTable([left(block1, node1)]);
  const routes = await routesOver(table);
  table.refuse = /delete/;
  table.refusal = "ESRCH";
  await routes.converge();
  await routes.apply([{ prefix: block1, best: undefined }]);
  assert.deepEqual([routes.routes, routes.failures], [{}, []]);
});

test("a refused route is a failure with the kernel's words until it is accepted", async () => {
  const table = new FakeTable();
  const routes = await routesOver(table);
  table.refuse = /20\.75/;
  await routes.apply([{ prefix: block1, best: { nextHop: node1 } }]);
  assert.deepEqual(routes.routes, {});
  assert.deepEqual(routes.failures, [
    "route replace 10.244.1.0/26 via 172.139.20.75 proto bird: refused",
  ]);
  await routes.apply([{ prefix: block1, best: { nextHop: node2 } }]);
  assert.deepEqual(routes.failures, []);
});

test("any sequence of changes ends with the last best of each prefix", async () => {
  const change = fc.record({
    prefix: fc.constantFrom(block1, block2),
    nextHop: fc.constantFrom(undefined, node1, node2),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change), async (changes) => {
      const routes = await routesOver(new FakeTable([left(block1, node1)]));
      const expected = new Map<unknown, number | undefined>();
      await Promise.all(
        changes.map(({ prefix, nextHop }) => {
          expected.set(prefix, nextHop);
          return routes.apply([{ prefix, best: nextHop === undefined ? undefined : { nextHop } }]);
        }),
      );
      await routes.converge();
      const wanted = [...expected.values()].filter((nextHop) => nextHop !== undefined).length;
      assert.equal(Object.keys(routes.routes).length, wanted);
    }),
  );
});
