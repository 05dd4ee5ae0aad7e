/** Random operations by one client against an allocator that is a plain map. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressAt,
  formatAddress,
  hasCode,
  type Ipv4,
  prefix4,
  prefixContains,
} from "../lib/index.ts";
import { allocations, assertConsistent, world } from "./ipam.test-support.ts";

const POOL = prefix4("10.0.0.0/27");
const SIZE = 32;

const node = fc.constantFrom("a", "b", "c");
const handle = fc.constantFrom("h1", "H2", "h3", "h4");
const operation = fc.oneof(
  fc.record({
    kind: fc.constant("auto" as const),
    node,
    handle,
    count: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({ kind: fc.constant("chosen" as const), node, handle, offset: fc.nat(SIZE - 1) }),
  fc.record({
    kind: fc.constant("release" as const),
    offsets: fc.array(fc.nat(SIZE - 1), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant("releaseHandle" as const), handle }),
  fc.record({ kind: fc.constant("host" as const), node }),
);

test("agrees with a map of addresses to handles", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const { ipam, store } = await world([{ cidr: "10.0.0.0/27", blockSize: 29 }]);
      const naive = new Map<Ipv4, string>();
      for (const step of operations) {
        if (step.kind === "auto") {
          const { addresses, messages } = await ipam.autoAssign({
            ...step,
            attributes: { node: step.node },
            use: "Workload",
          });
          // Without strict affinity the whole pool can be used, by whichever node asks.
          assert.equal(addresses.length, Math.min(step.count, SIZE - naive.size));
          assert.equal(messages.length > 0, addresses.length < step.count);
          for (const address of addresses) {
            assert.ok(prefixContains(POOL, address));
            assert.ok(!naive.has(address as Ipv4), `${formatAddress(address)} given twice`);
            naive.set(address as Ipv4, step.handle);
          }
        } else if (step.kind === "chosen") {
          const address = addressAt(POOL, step.offset);
          const assigned = await ipam
            .assignIp({ ...step, address, attributes: { node: step.node } })
            .then(() => true)
            .catch((error) => {
              if (!hasCode(error, "RESOURCE_ALREADY_EXISTS")) throw error;
              return false;
            });
          assert.equal(assigned, !naive.has(address));
          if (assigned) naive.set(address, step.handle);
        } else if (step.kind === "release") {
          const addresses = step.offsets.map((offset) => addressAt(POOL, offset));
          const { unallocated } = await ipam.releaseIps(addresses.map((address) => ({ address })));
          const expected = addresses.filter((address) => !naive.has(address));
          assert.deepEqual(new Set(unallocated), new Set(expected));
          for (const address of addresses) naive.delete(address);
        } else if (step.kind === "releaseHandle") {
          const known = [...naive.values()].includes(step.handle);
          const released = await ipam
            .releaseByHandle(step.handle)
            .then(() => true)
            .catch((error) => {
              if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
              return false;
            });
          assert.equal(released, known);
          for (const [address, owner] of naive) {
            if (owner === step.handle) naive.delete(address);
          }
        } else {
          await ipam.releaseHostAffinities(step.node);
        }
        const expected = [...naive].map(([address, owner]) => [formatAddress(address), owner]);
        assert.deepEqual([...(await allocations(store))].sort(), expected.sort());
        await assertConsistent(store, { exact: true });
      }
      await store.close();
    }),
    { numRuns: 150 },
  );
});
