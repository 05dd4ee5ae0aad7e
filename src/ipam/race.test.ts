/** Many clients on one datastore, with steps interleaved at random and conflicts added. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, hasCode, type IpAddress, prefix } from "../lib/index.ts";
import { allocations, assertConsistent, world } from "./ipam.test-support.ts";
import { Ipam } from "./ipam.ts";
import { Died, seeded, unreliable } from "./unreliable-store.test-support.ts";

type Step =
  | { readonly kind: "assign"; readonly count: number }
  | { readonly kind: "releaseHandle" }
  | { readonly kind: "releaseAddress" }
  | { readonly kind: "giveUpBlocks"; readonly requireEmpty: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("assign" as const),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "releaseHandle" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "releaseAddress" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("giveUpBlocks" as const),
      requireEmpty: fc.boolean(),
    }),
  },
);

const POOL = prefix("10.0.0.0/27");

test("racing clients never share an address, and every allocation is counted", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 6 }),
      fc.integer(),
      async (programs, seed) => {
        runs++;
        const random = seeded(seed);
        const { store, clock } = await world([{ cidr: "10.0.0.0/27", blockSize: 30 }]);
        const held = new Map<string, string>();
        const client = async (steps: readonly Step[], index: number) => {
          const node = `n${index % 3}`;
          const faulty = unreliable(store, { conflictShare: 0.15, random });
          const ipam = new Ipam({ store: faulty.store, clock, random });
          const handles: { handle: string; addresses: IpAddress[] }[] = [];
          const forget = (address: IpAddress) => held.delete(formatAddress(address));
          for (const [number, action] of steps.entries()) {
            if (action.kind === "assign") {
              const handle = `net.c${index}-${number}`;
              const request = { handle, attributes: { node }, node, use: "Workload" as const };
              const { addresses } = await ipam.autoAssign({ ...request, count: action.count });
              for (const address of addresses) {
                const text = formatAddress(address);
                assert.equal(held.get(text), undefined, `${text} was given twice`);
                held.set(text, handle);
              }
              if (addresses.length > 0) handles.push({ handle, addresses });
            } else if (action.kind === "releaseHandle") {
              const mine = handles.shift();
              if (mine === undefined) continue;
              mine.addresses.forEach(forget);
              await ipam.releaseByHandle(mine.handle);
            } else if (action.kind === "releaseAddress") {
              const mine = handles.at(-1);
              const address = mine?.addresses.pop();
              if (mine === undefined || address === undefined) continue;
              if (mine.addresses.length === 0) handles.pop();
              forget(address);
              const { handle } = mine;
              assert.deepEqual(await ipam.releaseIps([{ address, handle }]), { unallocated: [] });
            } else {
              try {
                const { requireEmpty } = action;
                await ipam.releaseAffinity({ node, cidr: POOL, requireEmpty });
              } catch (error) {
                if (!hasCode(error, "RESOURCE_CONFLICT") || !/in use/.test(error.message))
                  throw error;
              }
            }
          }
        };
        await Promise.all(programs.map(client));
        assert.deepEqual([...(await allocations(store))].sort(), [...held].sort());
        await assertConsistent(store, { exact: true });
        await store.close();
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(runs >= 150);
});

test("fifty pods started at once on four nodes get fifty addresses", async () => {
  const random = seeded(7);
  const { store, clock } = await world([{ cidr: "10.0.0.0/24" }]);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => {
      const faulty = unreliable(store, { random });
      const node = `n${index % 4}`;
      return new Ipam({ store: faulty.store, clock, random }).autoAssign({
        count: 1,
        handle: `net.p${index}`,
        attributes: { node },
        node,
        use: "Workload",
      });
    }),
  );
  const addresses = results.flatMap((result) => result.addresses);
  assert.equal(new Set(addresses).size, 50);
  assert.equal((await store.list("IPAMBlock")).items.length, 4, "one block a node");
  await assertConsistent(store, { exact: true });
});

test("clients that die among others leave nothing that cannot be given back", async () => {
  const program = fc.record({
    steps: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
    dieAtWrite: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 40 })),
    lastWriteLands: fc.boolean(),
  });
  let deaths = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(program, { minLength: 2, maxLength: 6 }),
      fc.integer(),
      async (programs, seed) => {
        const random = seeded(seed);
        const { store, clock, ipam } = await world([{ cidr: "10.0.0.0/27", blockSize: 30 }]);
        const held = new Map<string, string>();
        await Promise.all(
          programs.map(async ({ steps, ...fate }, index) => {
            const faulty = unreliable(store, { conflictShare: 0.1, random, ...fate });
            const own = new Ipam({ store: faulty.store, clock, random });
            const node = `n${index % 3}`;
            try {
              for (const [number, count] of steps.entries()) {
                const handle = `net.c${index}-${number}`;
                const request = { handle, attributes: { node }, node, use: "Workload" as const };
                const { addresses } = await own.autoAssign({ ...request, count });
                if (number % 2 === 0) {
                  for (const address of addresses) held.set(formatAddress(address), handle);
                } else if (addresses.length > 0) {
                  await own.releaseByHandle(handle);
                  await own.releaseHostAffinities(node);
                }
              }
            } catch (error) {
              if (!(error instanceof Died)) throw error;
              deaths++;
            }
          }),
        );
        await assertConsistent(store, { exact: false });
        const all = await allocations(store);
        for (const [address, handle] of held) assert.equal(all.get(address), handle, address);
        for (const { spec } of (await store.list("IPAMHandle")).items) {
          await ipam.releaseByHandle(spec.handleID);
        }
        assert.equal((await allocations(store)).size, 0, "no address outlives its handle");
        // Blocks are usable whatever state their affinities were left in.
        const everything = {
          handle: "net.all",
          attributes: {},
          node: "n0",
          use: "Workload" as const,
        };
        await clock.advance(60_000);
        assert.equal((await ipam.autoAssign({ ...everything, count: 32 })).addresses.length, 32);
        await assertConsistent(store, { exact: true });
        await store.close();
      },
    ),
    { numRuns: 100 },
  );
  assert.ok(deaths > 50, `${deaths} deaths`);
});
