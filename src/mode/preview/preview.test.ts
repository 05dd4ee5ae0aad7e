/** What is foreseen of changes in a cluster of four nodes in two subnets, each with one block. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ModeName } from "../../model/index.ts";
import { modeFields, modeNames } from "../../model/index.ts";
import { type Cluster, healthyCluster, healthyHost, healthyNode } from "../testing/cluster.ts";
import { previewChange } from "./preview.ts";
import type { ChangePreview, PreviewInput } from "./types.ts";

const input = (to: ModeName, change: Cluster = {}): PreviewInput => {
  const { spec, view, nodeHosts } = healthyCluster(to, change);
  return { spec, nodeHosts, view: { ...view, workloads: [], bgpFilters: [], borrowed: [] } };
};
const movesOf = ({ moves }: ChangePreview) =>
  Object.fromEntries(moves.map(({ from, to, routes }) => [`${from} to ${to}`, routes]));

/** Of 12 ways, 4 stay in a subnet. */
const moves: Record<string, Record<string, number>> = {
  "ipip to none": { "ipip to none": 12 },
  "ipip to ipip-cross-subnet": { "ipip to none": 4 },
  "ipip to vxlan-cross-subnet": { "ipip to vxlan": 8, "ipip to none": 4 },
  "none to vxlan": { "none to vxlan": 12 },
  "vxlan-cross-subnet to ipip-cross-subnet": { "vxlan to ipip": 8 },
  "ipip to ipip": {},
};
describe("routes that move:", () => {
  for (const [name, wanted] of Object.entries(moves)) {
    const [from, to] = name.split(" to ") as [ModeName, ModeName];
    test(name, () => {
      const preview = previewChange(input(to, { pool: modeFields(from) }));
      assert.deepEqual(movesOf(preview), wanted);
      assert.deepEqual(preview.unforeseen, []);
      assert.deepEqual(
        preview.nodes.flatMap(({ waiting }) => waiting),
        [],
      );
    });
  }
});

test("from a mode to itself nothing changes", () => {
  for (const mode of modeNames) {
    const { nodes } = previewChange(input(mode, { pool: modeFields(mode) }));
    assert.equal(nodes.length, 4);
    for (const { detail } of nodes) assert.deepEqual(detail?.differences, []);
  }
});

test("there and back is the same, the other way round", () => {
  for (const from of modeNames) {
    for (const to of modeNames) {
      const there = previewChange(input(to, { pool: modeFields(from) }));
      const back = previewChange(input(from, { pool: modeFields(to) }));
      for (const [group, { added, removed, changed }] of Object.entries(there.counts)) {
        const reverse = back.counts[group as keyof typeof back.counts];
        assert.deepEqual(reverse, { added: removed, removed: added, changed }, `${from} ${to}`);
      }
    }
  }
});

test("a node's lines, MTU and sessions", () => {
  const [a] = previewChange(input("none")).nodes;
  assert.deepEqual(a?.podMtu, { before: 1480, after: 1500 });
  assert.equal(a?.bgpSessions, 4);
  const routes = a?.detail?.differences.filter(({ group }) => group === "routes") ?? [];
  assert.equal(routes.length, 3);
  const lines = routes.map((one) => (one.kind === "differs" ? `${one.held} > ${one.planned}` : ""));
  assert.ok(
    lines.includes(
      "route 10.244.3.0/26 via 172.139.30.73 dev tunl0 proto bird onlink > route 10.244.3.0/26 via 172.139.20.1 dev eth0 proto bird",
    ),
    lines.join("\n"),
  );
});

test("an address that nobody knows yet is said in words", () => {
  const nodes = ["a", "b", "c", "d"].map((name) => {
    const { ipv4VXLANTunnelAddr: _, ...spec } = healthyNode(name).spec;
    return { ...healthyNode(name), spec };
  });
  const preview = previewChange(input("vxlan", { view: { nodes } }));
  assert.deepEqual(movesOf(preview), { "ipip to vxlan": 12 });
  const text = JSON.stringify(preview);
  assert.match(text, /via <vxlan address of c> dev vxlan\.calico/);
  assert.doesNotMatch(text, /\b0\.0\.0\.[1-9]/);
});

test("what keeps routes from moving is said", () => {
  const bgp = {
    ...healthyHost("a").status!.bgp!,
    missing: { count: 1, blocks: ["10.244.3.0/26"] },
  };
  const preview = previewChange(
    input("none", { pool: modeFields("vxlan"), hosts: { a: { bgp } } }),
  );
  assert.deepEqual(preview.nodes[0]?.waiting, [
    "no BGP route to 10.244.3.0/26 from 172.139.30.73 (c) yet",
  ]);
});

test("a node without agent keeps its routes, and is not foreseen", () => {
  const whole = healthyCluster("none");
  const preview = previewChange(
    input("none", {
      view: { nodeModes: whole.view.nodeModes.filter(({ metadata }) => metadata.name !== "d") },
      nodeHosts: whole.nodeHosts.filter(({ metadata }) => metadata.name !== "d"),
    }),
  );
  assert.deepEqual(preview.unforeseen, [{ node: "d", why: "it has published no NodeHost" }]);
  assert.deepEqual(movesOf(preview), { "ipip to none": 6 });
  assert.equal(preview.nodes[0]?.unmoved, 1);
});

test("some nodes are planned in full, and routes that move are counted on all", () => {
  const preview = previewChange({ ...input("none"), detailedNodes: 1 });
  assert.deepEqual(
    preview.nodes.map(({ detail }) => detail !== undefined),
    [true, false, false, false],
  );
  assert.deepEqual(movesOf(preview), { "ipip to none": 12 });
  assert.equal(preview.counts.routes.changed, 3);
  const [full, ...rest] = previewChange(input("none")).nodes;
  assert.deepEqual(preview.nodes[0], full);
  assert.deepEqual(
    preview.nodes.slice(1),
    rest.map(({ detail: _, ...node }) => node),
  );
});

test("proof, waves and time", () => {
  const { spec, ...rest } = input("none");
  const preview = previewChange({ ...rest, spec: { ...spec, canary: 1, wave: "2" } });
  assert.deepEqual(preview.proof, { pairs: 12, possible: 12, sampled: false, subnetPairs: 4 });
  assert.deepEqual(
    preview.waves.map((wave) => wave.length),
    [1, 2, 1],
  );
  // Three partners at a time: 2 s and 3 s, 1,000 packets at 250 a second, and half a second.
  assert.equal(preview.duration.parts[0]?.ms, 9_500);
  assert.equal(
    preview.duration.ms,
    preview.duration.parts.reduce((sum, { ms }) => sum + ms, 0),
  );
  const proving = previewChange({ ...rest, spec: { ...spec, proveOnly: true } });
  assert.deepEqual([proving.waves, proving.duration.ms], [[], 9_500]);
  const unproved = previewChange({ ...rest, spec: { ...spec, skipProof: { reason: "known" } } });
  assert.equal(unproved.proof, undefined);
});
