/** One block, without a datastore. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, ipAddress, prefix } from "../lib/index.ts";
import {
  addressOfOrdinal,
  allocateFree,
  allocateOrdinal,
  allocationAt,
  type BlockSpec,
  collectReleased,
  isEmptyBlock,
  newBlock,
  ordinalOfAddress,
  ordinalsOfHandle,
  releaseOrdinals,
  withNextSequenceNumber,
  withoutAffinity,
} from "./block.ts";

const START = 1_700_000_000_000;
const owner = (handle: string) => ({ handle, attributes: { node: "a" } });

function fresh(cidr = "10.0.0.8/29"): BlockSpec {
  return newBlock({ cidr: prefix(cidr), affinity: "host:a", nowMs: START });
}

test("a new block is all free, and starts its sequence at the clock in nanoseconds", () => {
  assert.deepEqual(fresh("10.0.0.0/30"), {
    cidr: "10.0.0.0/30",
    affinity: "host:a",
    affinityClaimTime: "2023-11-14T22:13:20Z",
    allocations: [null, null, null, null],
    unallocated: [0, 1, 2, 3],
    attributes: [],
    sequenceNumber: 1_700_000_000_000_000_000n,
    sequenceNumberForAllocation: {},
    deleted: false,
    strictAffinity: false,
  });
});

test("addresses and ordinals go both ways, IPv6 too", () => {
  for (const cidr of ["10.0.0.8/29", "255.255.255.248/29", "fd00::8/125"]) {
    const block = fresh(cidr);
    for (let ordinal = 0; ordinal < 8; ordinal++) {
      assert.equal(ordinalOfAddress(block, addressOfOrdinal(block, ordinal)), ordinal);
    }
  }
  assert.equal(formatAddress(addressOfOrdinal(fresh("fd00::8/125"), 7)), "fd00::f");
  for (const outside of ["10.0.0.7", "10.0.0.16", "fd00::8"]) {
    assert.equal(ordinalOfAddress(fresh(), ipAddress(outside)), undefined);
  }
});

test("equal attributes are kept once, whatever the order of their keys", () => {
  let block = fresh();
  block = allocateFree(block, { handle: "h", attributes: { a: "1", b: "2" }, count: 1 }).block;
  block = allocateFree(block, { handle: "h", attributes: { b: "2", a: "1" }, count: 2 }).block;
  block = allocateOrdinal(block, { handle: "h", attributes: { a: "1" }, ordinal: 7 });
  assert.equal(block.attributes.length, 2);
  assert.deepEqual(block.allocations, [0, 0, 0, null, null, null, null, 1]);
  assert.deepEqual(block.unallocated, [3, 4, 5, 6]);
  assert.deepEqual(ordinalsOfHandle(block, "h"), [0, 1, 2, 7]);
});

test("an allocation remembers the block's sequence number of its time", () => {
  let block = allocateFree(fresh(), { ...owner("one"), count: 1 }).block;
  const before = BigInt(block.sequenceNumber);
  block = withNextSequenceNumber(block);
  block = allocateFree(block, { ...owner("two"), count: 1 }).block;
  const number = (ordinal: number) => {
    const allocation = allocationAt(block, ordinal);
    return allocation.kind === "allocated" ? allocation.sequenceNumber : undefined;
  };
  assert.equal(number(0), before);
  assert.equal(number(1), before + 1n);
});

test("released ordinals wait out their cooldown, then queue up longest released first", () => {
  let block = allocateFree(fresh(), { ...owner("h"), count: 8 }).block;
  block = releaseOrdinals(block, { ordinals: [5], nowMs: START });
  block = releaseOrdinals(block, { ordinals: [2, 1], nowMs: START + 10_000 });
  assert.deepEqual(allocationAt(block, 5), {
    kind: "cooldown",
    releasedAt: "2023-11-14T22:13:20Z",
  });
  const at = (nowMs: number, cooldownSeconds = 30) =>
    collectReleased(block, { nowMs, cooldownSeconds }).unallocated;
  assert.deepEqual(at(START + 29_999), []);
  assert.deepEqual(at(START + 30_000), [5]);
  assert.deepEqual(at(START + 40_000), [5, 1, 2]);
  assert.deepEqual(at(START, 0), [5, 1, 2]);
  assert.equal(
    isEmptyBlock(releaseOrdinals(block, { ordinals: [0, 3, 4, 6, 7], nowMs: START })),
    false,
  );
});

test("a release time that cannot be read does not hold an address for ever", () => {
  const block: BlockSpec = {
    ...fresh("10.0.0.0/31"),
    allocations: [0, null],
    unallocated: [1],
    attributes: [{ releasedAt: "yesterday" }],
  };
  const collected = collectReleased(block, { nowMs: START, cooldownSeconds: 1200 });
  assert.deepEqual(collected.unallocated, [1, 0]);
  assert.deepEqual(collected.attributes, []);
});

test("what Windows reserves does not make a block used", () => {
  const block = allocateFree(fresh(), { ...owner("windows-reserved-ipam-handle"), count: 3 }).block;
  assert.ok(isEmptyBlock(block));
  assert.ok(!isEmptyBlock(allocateFree(block, { ...owner("h"), count: 1 }).block));
});

test("a block without affinity keeps its allocations and nothing of its owner", () => {
  const block = withoutAffinity(allocateFree(fresh(), { ...owner("h"), count: 1 }).block);
  assert.ok(!("affinity" in block) && !("affinityClaimTime" in block));
  assert.deepEqual(ordinalsOfHandle(block, "h"), [0]);
});

test("after any history every ordinal is in one state, and the functions changed no input", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("take" as const),
      handle: fc.constantFrom("h", "i"),
      count: fc.nat(4),
    }),
    fc.record({ kind: fc.constant("give" as const), ordinals: fc.uniqueArray(fc.nat(7)) }),
    fc.record({ kind: fc.constant("wait" as const), seconds: fc.nat(40) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let block = fresh();
      let nowMs = START;
      for (const action of steps) {
        const before = structuredClone(block);
        const input = block;
        if (action.kind === "take") {
          block = allocateFree(block, { ...owner(action.handle), count: action.count }).block;
        } else if (action.kind === "give") {
          const held = (ordinal: number) => allocationAt(input, ordinal).kind === "allocated";
          block = releaseOrdinals(block, { ordinals: action.ordinals.filter(held), nowMs });
        } else {
          nowMs += action.seconds * 1000;
          block = collectReleased(block, { nowMs, cooldownSeconds: 30 });
        }
        assert.deepEqual(input, before);
        const free = [...block.allocations.keys()].filter(
          (ordinal) => allocationAt(block, ordinal).kind === "free",
        );
        assert.deepEqual([...block.unallocated].sort(), free);
        const used = new Set(block.allocations.filter((index) => index !== null));
        assert.deepEqual([...used].sort(), [...block.attributes.keys()]);
        const numbered = Object.keys(block.sequenceNumberForAllocation ?? {}).map(Number);
        const allocated = ["h", "i"].flatMap((handle) => ordinalsOfHandle(block, handle));
        assert.deepEqual(numbered, allocated.sort());
      }
    }),
    { numRuns: 300 },
  );
});
