import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ProbePairs, type ProofNode, probePairs } from "./pairs.ts";

/** Any number of nodes in any subnets, in any order. */
const clusters = (most: number) =>
  fc
    .array(fc.nat({ max: 6 }), { minLength: 2, maxLength: most })
    .map((subnets) => subnets.map((subnet, index) => ({ name: `n${index}`, subnet: `s${subnet}` })))
    .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length }));
const seeds = fc.nat();

const subnetOf = (nodes: readonly ProofNode[]) => new Map(nodes.map((n) => [n.name, n.subnet]));

/** Ordered subnet pairs, each with how many node pairs there are and how many have a clean first direction. */
function leadsBySubnets(nodes: readonly ProofNode[], { pairs }: ProbePairs) {
  const subnet = subnetOf(nodes);
  const leads = new Map<string, number>();
  for (const { from, to, leads: clean } of pairs) {
    const key = `${subnet.get(from)} ${subnet.get(to)}`;
    leads.set(key, (leads.get(key) ?? 0) + (clean ? 1 : 0));
  }
  return leads;
}

function checkShape(nodes: readonly ProofNode[], result: ProbePairs) {
  const keys = new Map(result.pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  assert.equal(keys.size, result.pairs.length, "no pair twice");
  for (const { from, to, leads } of result.pairs) {
    assert.notEqual(from, to);
    assert.equal(keys.get(`${to} ${from}`)?.leads, !leads, "exactly one side leads");
  }
  const sizes = Map.groupBy(nodes, ({ subnet }) => subnet);
  const leads = leadsBySubnets(nodes, result);
  for (const [a, as] of sizes) {
    for (const [b, bs] of sizes) {
      const nodePairs = a === b ? (as.length * (as.length - 1)) / 2 : as.length * bs.length;
      if (nodePairs === 0) continue;
      const clean = leads.get(`${a} ${b}`);
      assert.ok(clean !== undefined, `${a} to ${b} is covered`);
      if (nodePairs > 1) assert.ok(clean > 0, `${a} to ${b} has a clean first direction`);
    }
  }
}

describe("pairs of the proof", () => {
  test("small clusters: all ordered pairs, one leader each, every pair of subnets both ways", () => {
    fc.assert(
      fc.property(clusters(30), seeds, (nodes, seed) => {
        const result = probePairs({ nodes, seed });
        assert.equal(result.pairs.length, nodes.length * (nodes.length - 1));
        assert.equal(result.pairs.length, result.possible);
        assert.equal(result.sampled, false);
        checkShape(nodes, result);
      }),
    );
  });

  test("samples: every pair of subnets, every node three times on either side", () => {
    fc.assert(
      fc.property(clusters(60), seeds, (nodes, seed) => {
        const result = probePairs({ nodes, seed, allUpTo: 3 });
        checkShape(nodes, result);
        const least = Math.min(3, nodes.length - 1);
        for (const { name } of nodes) {
          const sent = result.pairs.filter(({ from }) => from === name).length;
          const received = result.pairs.filter(({ to }) => to === name).length;
          assert.ok(sent >= least && received >= least, `${name}: ${sent} ${received}`);
        }
      }),
    );
  });

  test("the order of the nodes does not matter, the seed does", () => {
    fc.assert(
      fc.property(clusters(40), seeds, (nodes, seed) => {
        const options = { seed, allUpTo: 5 };
        const one = probePairs({ nodes, ...options });
        assert.deepEqual(probePairs({ nodes: nodes.toReversed(), ...options }), one);
      }),
    );
    const nodes = Array.from({ length: 100 }, (_, n) => ({ name: `n${n}`, subnet: "s" }));
    assert.notDeepEqual(probePairs({ nodes, seed: 1 }), probePairs({ nodes, seed: 2 }));
  });

  test("within one subnet of three or more, every node leads somebody and is led by somebody", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 40 }), seeds, (count, seed) => {
        const nodes = Array.from({ length: count }, (_, n) => ({ name: `n${n}`, subnet: "s" }));
        const { pairs } = probePairs({ nodes, seed });
        for (const { name } of nodes) {
          assert.ok(pairs.some(({ from, leads }) => from === name && leads));
          assert.ok(pairs.some(({ to, leads }) => to === name && leads));
        }
      }),
    );
  });

  test("a thousand nodes in ten subnets are some three thousand pairs, quickly", () => {
    const nodes = Array.from({ length: 1000 }, (_, n) => ({ name: `n${n}`, subnet: `s${n % 10}` }));
    const { pairs, possible, sampled } = probePairs({ nodes, seed: 7 });
    assert.equal(sampled, true);
    assert.equal(possible, 999_000);
    assert.equal(pairs.length, 3000);
  });
});
