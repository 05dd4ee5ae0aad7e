/**
 * What every implementation of {@link Dataplane} must do. Run on the fake by `fake.test.ts` and on real
 * kernels by `test/kernel/dataplane-contract.test.ts`, so that the fake cannot drift from the kernel.
 */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { ipv4, prefix4, prefixEquals } from "../lib/index.ts";
import type { NodePlan, RoutePlan } from "../plan/index.ts";
import type { Dataplane } from "./types.ts";

/** A host with device `eth0` that holds 172.139.20.75/24 and a default route via 172.139.20.1. */
export interface ContractSubject {
  readonly dataplane: Dataplane;
  /** A further driver on the same kernel, as after a restart. */
  reopen(): Promise<Dataplane>;
  /** Someone else's `ip route del`. */
  loseRoute(destination: string): void;
  /** Someone else's route `destination dev eth0`. */
  addForeignRoute(destination: string): void;
  /** All routes, sorted, as `destination device`; blackholes have device `blackhole`. */
  routes(): string[];
}

export interface ContractInput {
  readonly name: string;
  /** Why it cannot run here; undefined when it can. */
  readonly skip?: string | undefined;
  readonly open: (context: TestContext) => Promise<ContractSubject>;
  /** Plan of a node with two remote blocks, 10.244.2.0/26 and 10.244.3.0/26. */
  readonly plan: (encapsulation: "ipip" | "vxlan" | "none") => NodePlan;
}

const ADDRESS = "172.139.20.75";
const BLOCKS = ["10.244.2.0/26", "10.244.3.0/26"];
const DEVICES = { ipip: "tunl0", vxlan: "vxlan.calico", none: "eth0" } as const;

export function dataplaneContract({ name, skip, open, plan }: ContractInput): void {
  describe(`dataplane contract: ${name}`, skip === undefined ? {} : { skip }, () => {
    it("reads the uplink and the host's routes", async (context) => {
      const { dataplane } = await open(context);
      const state = await dataplane.read(ADDRESS);
      assert.equal(state.host.uplink.name, "eth0");
      assert.deepEqual(
        state.host.routes.map((route) => `${route.destination.length} ${route.device}`).sort(),
        ["0 eth0", "24 eth0"],
      );
      assert.deepEqual([...state.current], []);
      assert.deepEqual(state.receives, []);
    });

    it("refuses to read a node whose address no device holds", async (context) => {
      const { dataplane } = await open(context);
      await assert.rejects(dataplane.read("172.139.20.99"), {
        code: "PREREQUISITE_MISSING",
        message: "find the uplink: no device holds the node's address 172.139.20.99",
      });
    });

    for (const encapsulation of ["none", "vxlan", "ipip"] as const) {
      it(`applies ${encapsulation}, then has nothing to do, also after a restart`, async (context) => {
        const { dataplane, reopen, routes } = await open(context);
        const first = await dataplane.apply(plan(encapsulation));
        assert.deepEqual(first.failures, []);
        assert.ok(first.changes > 0);
        assert.deepEqual(
          [...first.current].sort(),
          BLOCKS.map((block) => [block, encapsulation]),
        );
        const tunnels = encapsulation === "none" ? [] : [encapsulation];
        assert.deepEqual(first.receives, ["none", ...tunnels]);
        const text = routes();
        for (const block of BLOCKS) {
          assert.ok(text.includes(`${block} ${DEVICES[encapsulation]}`), text.join("\n"));
        }
        assert.ok(text.includes("10.244.1.0/26 blackhole"), text.join("\n"));

        assert.equal((await dataplane.apply(plan(encapsulation))).changes, 0);
        const compared = await dataplane.compare(plan(encapsulation));
        assert.deepEqual(compared.differences, []);
        assert.ok(compared.objects > plan(encapsulation).routes.length);
        await dataplane.close();
        const next = await reopen();
        const adopted = await next.read(ADDRESS);
        assert.deepEqual([...adopted.current].sort(), [...first.current].sort());
        assert.deepEqual(adopted.receives, tunnels);
        const again = await next.apply(plan(encapsulation));
        assert.deepEqual([again.changes, again.failures], [0, []]);
        assert.deepEqual(again.receives, first.receives);
        assert.deepEqual(routes(), text);
      });
    }

    it("goes from each encapsulation to each other and leaves nothing of the old", async (context) => {
      const { dataplane, routes } = await open(context);
      for (const encapsulation of [
        "none",
        "vxlan",
        "ipip",
        "none",
        "ipip",
        "vxlan",
        "none",
      ] as const) {
        const actual = await dataplane.apply(plan(encapsulation));
        assert.deepEqual(actual.failures, []);
        const tunnels = encapsulation === "none" ? [] : [encapsulation];
        assert.deepEqual(actual.receives, ["none", ...tunnels]);
        const devices = new Set(routes().map((line) => line.split(" ")[1]));
        assert.deepEqual(
          [...devices].sort(),
          ["blackhole", "eth0", ...tunnels.map((kind) => DEVICES[kind])].sort(),
        );
        assert.equal((await dataplane.apply(plan(encapsulation))).changes, 0);
      }
    });

    it("holds a proof's table beside the rest, changes it, and takes it away again", async (context) => {
      const { dataplane, reopen, routes } = await open(context);
      const base = plan("ipip");
      await dataplane.apply(base);
      const before = routes();
      const proving = withProof(base, ["10.244.2.9", "10.244.3.9"]);
      const first = await dataplane.apply(proving);
      assert.deepEqual(first.failures, []);
      assert.ok(first.changes > 0);
      assert.deepEqual(routes(), before, "the main table has no part in it");
      assert.equal((await dataplane.apply(proving)).changes, 0);
      assert.deepEqual((await dataplane.compare(proving)).differences, []);
      assert.notDeepEqual((await dataplane.compare(base)).differences, []);
      const fewer = withProof(base, ["10.244.3.9"]);
      assert.equal((await dataplane.apply(fewer)).changes, 1);
      assert.deepEqual((await dataplane.compare(fewer)).differences, []);
      await dataplane.close();
      const next = await reopen();
      assert.equal((await next.apply(fewer)).changes, 0, "adopted");
      const ended = await next.apply(base);
      assert.deepEqual(ended.failures, []);
      assert.deepEqual((await next.compare(base)).differences, []);
      assert.deepEqual(routes(), before);
      assert.equal((await next.apply(base)).changes, 0);
    });

    it("repairs a lost route, and tells of the loss", async (context) => {
      const { dataplane, loseRoute, routes } = await open(context);
      await dataplane.apply(plan("none"));
      const before = routes();
      await wait(200);
      const drifted = new Promise<void>((resolve) => dataplane.onDrift(resolve));
      loseRoute(BLOCKS[0]!);
      await Promise.race([
        drifted,
        wait(5000, undefined, { ref: false }).then(() => assert.fail("not told")),
      ]);
      const repaired = await dataplane.apply(plan("none"));
      assert.deepEqual([repaired.changes, repaired.failures], [1, []]);
      assert.deepEqual(routes(), before);
    });

    it("tells plan from kernel object by object, and changes nothing", async (context) => {
      const { dataplane, loseRoute, addForeignRoute, routes } = await open(context);
      await dataplane.apply(plan("none"));
      addForeignRoute("192.0.2.0/24");
      loseRoute(BLOCKS[0]!);
      const less = without(plan("none"), BLOCKS[1]!);
      const before = routes();
      const { differences } = await dataplane.compare(less);
      assert.deepEqual(differences, [
        {
          kind: "missing",
          planned: "route 10.244.2.0/26 via 172.139.20.76 dev eth0 proto bird",
          reason: "remote block",
        },
        {
          kind: "unplanned",
          held: "route 10.244.3.0/26 via 172.139.20.1 dev eth0 proto bird",
          reason: "ours, and not planned",
        },
      ]);
      assert.deepEqual(routes(), before);
    });

    it("removes its own routes that are not planned, and nobody else's", async (context) => {
      const { dataplane, addForeignRoute, routes } = await open(context);
      addForeignRoute("192.0.2.0/24");
      await dataplane.apply(plan("none"));
      const less = without(plan("none"), BLOCKS[0]!);
      const kept = await dataplane.apply({ ...less, keepUnplannedRoutes: true });
      assert.deepEqual([kept.changes, kept.failures], [0, []]);
      const removed = await dataplane.apply(less);
      assert.deepEqual([removed.changes, removed.failures], [1, []]);
      assert.deepEqual([...removed.current], [[BLOCKS[1], "none"]]);
      assert.ok(routes().includes("192.0.2.0/24 eth0"));
    });

    it("reports a route that someone else's stands in the way of, and leaves theirs", async (context) => {
      const { dataplane, addForeignRoute, routes } = await open(context);
      addForeignRoute(BLOCKS[0]!);
      const actual = await dataplane.apply(plan("vxlan"));
      assert.deepEqual(
        actual.failures.map((failure) => failure.object),
        [`route ${BLOCKS[0]}`],
      );
      assert.match(
        actual.failures[0]!.message,
        /10\.244\.2\.0\/26 dev eth0.* is there and is not ours/,
      );
      assert.ok(routes().includes(`${BLOCKS[0]} eth0`));
      assert.ok(routes().includes(`${BLOCKS[1]} vxlan.calico`));
    });

    it("writes all other routes when the device of one does not exist", async (context) => {
      const { dataplane } = await open(context);
      const lost = route("10.244.9.0/26", "nowhere0");
      const base = plan("none");
      const actual = await dataplane.apply({ ...base, routes: [lost, ...base.routes] });
      assert.deepEqual(actual.failures, [
        {
          object: "route 10.244.9.0/26",
          message:
            "route 10.244.9.0/26 dev nowhere0 proto bird scope link was not written: device nowhere0 does not exist",
        },
      ]);
      assert.equal(actual.current.size, BLOCKS.length);
    });

    it("applies changes of single prefixes as it does the whole plan", async (context) => {
      const { dataplane, routes } = await open(context);
      const whole = plan("none");
      await dataplane.apply(whole);
      // The second has nothing to do: what the first one caused in the kernel is known by then.
      await dataplane.apply(whole);
      const before = routes();
      const gone = prefix4(BLOCKS[0]!);
      const less = without(whole, BLOCKS[0]!);
      const removed = await dataplane.applyChanges(less, [
        { prefix: gone, routes: [], ipip: [], destinations: [] },
      ]);
      assert.deepEqual([removed?.changes, removed?.failures], [1, []]);
      assert.deepEqual([...removed!.current], [[BLOCKS[1], "none"]]);
      assert.deepEqual(removed?.receives, ["none"]);
      const back = whole.routes.filter((one) => prefixEquals(one.destination, gone));
      const changes = [{ prefix: gone, routes: back, ipip: [], destinations: [] }];
      const added = await dataplane.applyChanges(whole, changes);
      assert.deepEqual([added?.changes, added?.failures], [1, []]);
      assert.deepEqual(routes(), before);
      assert.equal((await dataplane.applyChanges(whole, changes))?.changes, 0);
      assert.equal((await dataplane.apply(whole)).changes, 0);
      const lost = { ...back[0]!, device: "nowhere0" };
      const failed = await dataplane.applyChanges({ ...less, routes: [...less.routes, lost] }, [
        { prefix: gone, routes: [lost], ipip: [], destinations: [] },
      ]);
      assert.deepEqual(
        failed?.failures.map(({ object }) => object),
        [`route ${BLOCKS[0]}`],
      );
      assert.deepEqual(routes(), before);
    });

    it("keeps a route whose replacement failed", async (context) => {
      const { dataplane, routes } = await open(context);
      await dataplane.apply(plan("none"));
      const less = without(plan("none"), BLOCKS[0]!);
      const halves = ["10.244.2.0/27", "10.244.2.32/27"].map((half) => route(half, "nowhere0"));
      const actual = await dataplane.apply({ ...less, routes: [...less.routes, ...halves] });
      assert.deepEqual(actual.failures.map((failure) => failure.object).sort(), [
        "route 10.244.2.0/26",
        "route 10.244.2.0/27",
        "route 10.244.2.32/27",
      ]);
      assert.equal(actual.current.get(BLOCKS[0]!), "none");
      assert.ok(routes().includes(`${BLOCKS[0]} eth0`));
    });
  });
}

function route(destination: string, device: string): RoutePlan {
  return {
    kind: "unicast",
    destination: prefix4(destination),
    device,
    scope: "link",
    protocol: 12,
    reason: "contract",
  };
}

/** As the planner makes it for the probe address 10.244.1.9. */
function withProof(base: NodePlan, partners: readonly string[]): NodePlan {
  const source = prefix4("10.244.1.9/32");
  const common = { scope: "global", protocol: 80, reason: "contract" } as const;
  const rule = { priority: 90, source, port: 17900, table: 17900 } as const;
  return {
    ...base,
    addresses: [...base.addresses, { device: "lo", prefix: source, protocol: 80 }],
    proof: {
      table: 17900,
      rules: [
        { ...rule, ipProtocol: 17, end: "source" },
        { ...rule, ipProtocol: 6, end: "destination" },
      ],
      routes: [
        { ...common, kind: "unreachable", destination: prefix4("0.0.0.0/0") },
        ...partners.map((partner) => ({
          ...common,
          kind: "unicast" as const,
          destination: prefix4(`${partner}/32`),
          gateway: ipv4("172.139.20.76"),
          device: "tunl0",
          onlink: true,
        })),
      ],
    },
  };
}

function without(plan: NodePlan, destination: string): NodePlan {
  const { address, length } = prefix4(destination);
  const routes = plan.routes.filter(
    (route) => route.destination.address !== address || route.destination.length !== length,
  );
  return { ...plan, routes };
}
