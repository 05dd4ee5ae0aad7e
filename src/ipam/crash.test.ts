/**
 * Death at every write of every operation, before the write and after it: nothing breaks an invariant,
 * and whoever comes next finishes the work.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Datastore } from "../datastore/index.ts";
import { hasCode, ipAddress, prefix } from "../lib/index.ts";
import { allocations, assertConsistent, put, type World, world } from "./ipam.test-support.ts";
import { Ipam } from "./ipam.ts";
import { Died, unreliable } from "./unreliable-store.test-support.ts";

interface Scenario {
  readonly name: string;
  readonly before?: (ipam: Ipam, world: World) => Promise<unknown>;
  readonly act: (ipam: Ipam) => Promise<unknown>;
}

const POOL = prefix("10.0.0.0/28");

function pod(node: string, name: string, count = 1) {
  return { count, handle: name, attributes: { node }, node, use: "Workload" as const };
}

const scenarios: Scenario[] = [
  { name: "the first address of a node", act: (ipam) => ipam.autoAssign(pod("a", "p")) },
  {
    name: "addresses over several blocks",
    before: (ipam) => ipam.autoAssign(pod("a", "q")),
    act: (ipam) => ipam.autoAssign(pod("a", "p", 9)),
  },
  {
    name: "borrowing",
    before: async (ipam) => {
      await ipam.autoAssign(pod("a", "q", 13));
      await ipam.releaseByHandle("q");
      await ipam.autoAssign(pod("a", "r"));
    },
    act: (ipam) => ipam.autoAssign(pod("b", "p")),
  },
  {
    name: "taking an empty block back",
    before: async (ipam, { clock }) => {
      await ipam.autoAssign(pod("a", "q", 16));
      await ipam.releaseByHandle("q");
      await clock.advance(60_000);
    },
    act: (ipam) => ipam.autoAssign(pod("b", "p")),
  },
  {
    name: "a chosen address",
    act: (ipam) => ipam.assignIp({ ...pod("a", "p"), address: ipAddress("10.0.0.9") }),
  },
  {
    name: "release by handle",
    before: (ipam) => ipam.autoAssign(pod("a", "p", 9)),
    act: (ipam) => ipam.releaseByHandle("p"),
  },
  {
    name: "release of addresses",
    before: (ipam) => ipam.assignIp({ ...pod("a", "p"), address: ipAddress("10.0.0.9") }),
    act: (ipam) => ipam.releaseIps([{ address: ipAddress("10.0.0.9") }]),
  },
  {
    name: "release of an affinity in use",
    before: (ipam) => ipam.autoAssign(pod("a", "p", 5)),
    act: (ipam) => ipam.releaseHostAffinities("a"),
  },
  {
    name: "release of an empty affinity",
    before: (ipam) => ipam.claimAffinity({ node: "a", cidr: POOL }),
    act: (ipam) => ipam.releaseAffinity({ node: "a", cidr: POOL, requireEmpty: true }),
  },
  {
    name: "a tunnel address",
    before: (_, { store }) => put(store, "Node", { name: "a", spec: {} }),
    act: (ipam) =>
      ipam.ensureTunnelAddress({ node: "a", type: "ipipTunnelAddress", pools: [POOL] }),
  },
];

async function crashed(scenario: Scenario, dieAtWrite: number, lastWriteLands: boolean) {
  const it = await world([{ cidr: "10.0.0.0/28", blockSize: 30 }]);
  await scenario.before?.(it.ipam, it);
  const faulty = unreliable(it.store, { dieAtWrite, lastWriteLands });
  let died = false;
  try {
    await scenario.act(new Ipam({ store: faulty.store, clock: it.clock, random: () => 0.5 }));
  } catch (error) {
    if (!(error instanceof Died)) throw error;
    died = true;
  }
  return { ...it, died };
}

/** What the next caller does: the same again, then everything is given back. */
async function heal(store: Datastore, ipam: Ipam, scenario: Scenario): Promise<void> {
  try {
    await scenario.act(ipam);
  } catch (error) {
    // The act had been done, all but its answer.
    const expected =
      hasCode(error, "RESOURCE_NOT_FOUND") || hasCode(error, "RESOURCE_ALREADY_EXISTS");
    if (!expected) throw error;
  }
  await assertConsistent(store, { exact: false });
  for (const { spec } of (await store.list("IPAMHandle")).items) {
    await ipam.releaseByHandle(spec.handleID);
  }
  assert.equal((await allocations(store)).size, 0, "no address outlives its handle");
  assert.equal((await store.list("IPAMHandle")).items.length, 0);
  for (const node of ["a", "b"]) {
    // Whatever state an affinity was left in, its node can work with it.
    await ipam.claimAffinity({ node, cidr: POOL });
    await ipam.releaseAffinity({ node, cidr: POOL, requireEmpty: true });
  }
  assert.equal((await store.list("BlockAffinity")).items.length, 0);
  assert.equal((await store.list("IPAMBlock")).items.length, 0);
}

for (const scenario of scenarios) {
  test(`death at every write of: ${scenario.name}`, async () => {
    for (const lastWriteLands of [false, true]) {
      let write = 1;
      for (; ; write++) {
        assert.ok(write < 200, "the act ends");
        const { store, ipam, died } = await crashed(scenario, write, lastWriteLands);
        if (!died) break;
        await assertConsistent(store, { exact: false });
        await heal(store, ipam, scenario);
        await store.close();
      }
      assert.ok(write > 1, "the act writes something");
    }
  });
}
