import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Node } from "../../model/index.ts";
import { planWaves } from "./waves.ts";

function nodesOf(sizes: readonly number[]): Node[] {
  return sizes.flatMap((size, subnet) =>
    Array.from({ length: size }, (_, i) => ({
      apiVersion: "projectcalico.org/v3",
      kind: "Node" as const,
      metadata: { name: `n${subnet}-${i}` },
      spec: { bgp: { ipv4Address: `10.0.${subnet}.${i + 1}/24` } },
    })),
  );
}
const subnetOf = (name: string) => name.slice(1).split("-")[0] ?? "";

const cases: {
  name: string;
  sizes: number[];
  spec: Parameters<typeof planWaves>[1];
  waves: number[];
}[] = [
  { name: "a share of all by default", sizes: [2, 2], spec: {}, waves: [1, 1, 1, 1] },
  { name: "a number", sizes: [5, 5], spec: { canary: 2, wave: "3" }, waves: [2, 3, 3, 2] },
  { name: "a percentage", sizes: [10, 10], spec: { canary: 1, wave: "50%" }, waves: [1, 10, 9] },
  { name: "no canary", sizes: [2, 1], spec: { canary: 0, wave: "2" }, waves: [0, 2, 1] },
  { name: "all at once", sizes: [3, 3], spec: { canary: 0, wave: "100%" }, waves: [0, 6] },
  { name: "more canaries than nodes", sizes: [2], spec: { canary: 9 }, waves: [2] },
  { name: "nobody", sizes: [], spec: {}, waves: [0] },
];
for (const { name, sizes, spec, waves } of cases) {
  test(`waves: ${name}`, () => {
    const planned = planWaves(nodesOf(sizes), spec);
    assert.deepEqual(
      planned.map((wave) => wave.length),
      waves,
    );
  });
}

test("every node moves once, canaries of several subnets, no subnet in one wave", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
  const spec = fc.record({
    canary: fc.integer({ min: 0, max: 6 }),
    wave: fc.oneof(
      fc.integer({ min: 1, max: 10 }).map(String),
      fc.integer({ min: 1, max: 50 }).map((percent) => `${percent}%`),
    ),
    seed: fc.nat(),
  });
  let spared = 0;
  fc.assert(
    fc.property(sizes, spec, (sizes, spec) => {
      const nodes = nodesOf(sizes);
      const waves = planWaves(nodes, spec);
      assert.deepEqual(planWaves([...nodes].reverse(), spec), waves, "the seed decides");
      const names = nodes.map(({ metadata }) => metadata.name).sort();
      assert.deepEqual(waves.flat().sort(), names);
      const canarySubnets = new Set(waves[0]?.map(subnetOf)).size;
      // A subnet of several keeps one back as long as others have nodes, so one of each is possible.
      assert.equal(canarySubnets, Math.min(spec.canary, sizes.length));
      for (const [index, wave] of waves.entries()) {
        const inWave = Map.groupBy(wave, subnetOf);
        const after = waves.slice(index + 1).flat();
        for (const [subnet, members] of inWave) {
          const whole = members.length === sizes[Number(subnet)] && members.length > 1;
          if (!whole) continue;
          // It could not be avoided: every node that comes later would have made another subnet whole, too.
          const others = after.filter((node) => {
            const peers = inWave.get(subnetOf(node))?.length ?? 0;
            const size = sizes[Number(subnetOf(node))] ?? 0;
            return size === 1 || peers < size - 1;
          });
          assert.deepEqual(others, [], `wave ${index} takes all of subnet ${subnet}`);
        }
        spared++;
      }
    }),
  );
  assert.ok(spared > 100);
});
