/**
 * Two clients in every order with one interruption each: the first does k operations, the second j,
 * the first ends, the second ends; for all k and j.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode, prefix } from "../lib/index.ts";
import type { SpecOf } from "../model/index.ts";
import { assertConsistent, assertSettled, put, type World, world } from "./ipam.test-support.ts";
import { Ipam } from "./ipam.ts";
import { stepper, stepTimes } from "./stepping-store.test-support.ts";

const BLOCK = prefix("10.0.0.0/30");

function pod(node: string, name: string, count = 1) {
  return { count, handle: name, attributes: { node }, node, use: "Workload" as const };
}

async function tolerating(act: Promise<unknown>): Promise<void> {
  try {
    await act;
  } catch (error) {
    // Legitimate answers of who came second: nothing there, or in use.
    if (!hasCode(error, "RESOURCE_NOT_FOUND") && !/in use/.test(String(error))) throw error;
  }
}

interface Pair {
  readonly name: string;
  readonly configuration?: SpecOf<"IPAMConfiguration">;
  readonly before?: (world: World) => Promise<unknown>;
  readonly first: (ipam: Ipam) => Promise<unknown>;
  readonly second: (ipam: Ipam) => Promise<unknown>;
}

const release = (requireEmpty: boolean) => (ipam: Ipam) =>
  ipam.releaseAffinity({ node: "a", cidr: BLOCK, requireEmpty });
const claim = (node: string) => (ipam: Ipam) => ipam.claimAffinity({ node, cidr: BLOCK });
const assign =
  (node: string, handle: string, count = 1) =>
  (ipam: Ipam) =>
    ipam.autoAssign(pod(node, handle, count));
const strict = { strictAffinity: true, autoAllocateBlocks: true };

const pairs: Pair[] = [
  { name: "two nodes claim one block", first: claim("a"), second: claim("b") },
  { name: "one node claims a block twice", first: claim("a"), second: claim("a") },
  {
    name: "release of an empty block, and its claim",
    before: ({ ipam }) => claim("a")(ipam),
    first: release(true),
    second: claim("a"),
  },
  {
    name: "release of what a dead claimer left, and its claim",
    before: ({ store }) =>
      put(store, "BlockAffinity", {
        name: "a-10-0-0-0-30",
        spec: { state: "pending", node: "a", cidr: "10.0.0.0/30" },
      }),
    first: release(true),
    second: claim("a"),
  },
  {
    name: "release of an empty block, and an allocation in it",
    before: ({ ipam }) => claim("a")(ipam),
    first: release(true),
    second: assign("a", "p"),
  },
  {
    name: "release of a block in use, and an allocation in it",
    before: ({ ipam }) => assign("a", "q")(ipam),
    first: release(false),
    second: assign("a", "p"),
  },
  {
    name: "one node's empty block is taken by another while it allocates in it",
    configuration: strict,
    before: async ({ ipam, clock }) => {
      await claim("a")(ipam);
      await clock.advance(60_000);
    },
    first: assign("a", "p"),
    second: assign("b", "q"),
  },
  {
    name: "two releases of one empty block",
    before: ({ ipam }) => claim("a")(ipam),
    first: release(true),
    second: release(true),
  },
  {
    name: "release of a handle, and an allocation for it",
    before: ({ ipam }) => assign("a", "p")(ipam),
    first: (ipam) => ipam.releaseByHandle("p"),
    second: assign("a", "p"),
  },
  {
    name: "release of the last address of a block without owner, and an allocation for its handle",
    before: async ({ ipam }) => {
      await assign("a", "p")(ipam);
      await ipam.releaseHostAffinities("a");
    },
    first: (ipam) => ipam.releaseByHandle("p"),
    second: assign("a", "p"),
  },
  {
    name: "two releases of one handle",
    before: ({ ipam }) => assign("a", "p", 3)(ipam),
    first: (ipam) => ipam.releaseByHandle("p"),
    second: (ipam) => ipam.releaseByHandle("p"),
  },
];

/** How many operations each client did before it was interrupted. */
async function run(pair: Pair, k: number, j: number): Promise<{ first: number; second: number }> {
  const it = await world([{ cidr: "10.0.0.0/30", blockSize: 30 }], pair.configuration);
  await pair.before?.(it);
  const client = (act: (ipam: Ipam) => Promise<unknown>) =>
    stepper(it.store, (store) =>
      tolerating(act(new Ipam({ store, clock: it.clock, random: () => 0.5 }))),
    );
  const first = client(pair.first);
  const second = client(pair.second);
  const steps = { first: await stepTimes(first, k), second: await stepTimes(second, j) };
  for (const rest of [first, second]) {
    // At any moment, not just in the end: a death could make any moment the end.
    while (await rest.step()) await assertConsistent(it.store, { exact: false });
  }
  await assertConsistent(it.store, { exact: true });
  await assertSettled(it.store, { strict: pair.configuration === strict });
  await it.store.close();
  return steps;
}

for (const pair of pairs) {
  test(`in every order: ${pair.name}`, async () => {
    let schedules = 0;
    for (let k = 0; ; k++) {
      let ended = false;
      for (let j = 0; ; j++) {
        const steps = await run(pair, k, j);
        schedules++;
        if (steps.first < k) ended = true;
        if (steps.second < j || ended) break;
      }
      if (ended) break;
    }
    assert.ok(schedules > 10, `${schedules} schedules`);
  });
}
