/** Which sessions are kept though nothing asks for them; what comes of it is in mesh-by-patches.test.ts. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PeerConfig } from "../bgp/index.ts";
import { formatAddress, ipv4, prefix } from "../lib/index.ts";
import { keptLines, Parting, type PartingInput } from "./parting.ts";
import type { BgpPlan } from "./peering/index.ts";

const address = (host: number) => ipv4(`10.0.0.${host}`);
const peer = (host: number, kind = "Mesh"): PeerConfig => ({
  ...{ name: `${kind}_${host}`, address: address(host), remoteAs: 64512 },
});

function planOf(peers: readonly PeerConfig[], localAs = 64512): BgpPlan {
  return {
    config: { localAs, routerId: address(1), peers, originate: [] },
    types: new Map(peers.map(({ name }) => [name, "node-to-node mesh"])),
    mesh: { mode: "on", resourceVersion: "1", open: true, closed: [] },
    unprogrammed: [],
    usesHostRoutes: false,
    problems: [],
  };
}

/** Two nodes, 2 and 3, whose sessions carry what nothing else does. */
const input = (change: Partial<PartingInput> = {}): PartingInput => ({
  plan: planOf([]),
  nodes: new Set([address(2), address(3)]),
  carrying: new Set(["Mesh_2", "Mesh_3"]),
  untold: () => [prefix("10.244.2.0/26")],
  ordered: false,
  nowMs: 0,
  ...change,
});

function after(change: Partial<PartingInput>, before: Partial<PartingInput> = {}) {
  const parting = new Parting();
  parting.step(input({ plan: planOf([peer(2), peer(3)]), ...before }));
  return { parting, output: parting.step(input(change)) };
}

const names = ({ plan }: { readonly plan: BgpPlan }) => plan.config.peers.map(({ name }) => name);

describe("a session that nothing asks for any more", () => {
  const rows: readonly (readonly [string, Partial<PartingInput>, readonly string[]])[] = [
    ["is kept while it is needed", {}, ["Mesh_2", "Mesh_3"]],
    ["goes when others tell of everything", { untold: () => [] }, []],
    ["goes when the node is gone", { nodes: new Set([address(3)]) }, ["Mesh_3"]],
    ["goes when it carries nothing", { carrying: new Set(["Mesh_2"]) }, ["Mesh_2"]],
    ["goes when that is ordered for the whole cluster", { ordered: true }, []],
    ["goes with the node's own AS", { plan: planOf([], 64513) }, []],
    [
      "is another's, to the same address",
      { plan: planOf([peer(2, "Node")]) },
      ["Node_2", "Mesh_3"],
    ],
  ];
  for (const [name, change, expected] of rows) {
    it(name, () => assert.deepEqual(names(after(change).output), expected));
  }

  it("is asked for with what the others tell, itself left out", () => {
    const asked: string[][] = [];
    const untold = (without: ReadonlySet<string>) => {
      asked.push([...without]);
      return [];
    };
    after({ plan: planOf([peer(2)]), untold });
    assert.deepEqual(asked, [["Mesh_3"]]);
    after({ plan: planOf([peer(2), peer(3)]), untold });
    assert.equal(asked.length, 1);
  });

  it("keeps its type and is kept for two minutes from the first time", () => {
    const { parting, output } = after({ nowMs: 1_000 });
    assert.equal(output.plan.types.get("Mesh_2"), "node-to-node mesh");
    assert.equal(output.dueMs, 121_000);
    assert.equal(parting.step(input({ nowMs: 60_000 })).dueMs, 121_000);
    assert.deepEqual(names(parting.step(input({ nowMs: 121_000 }))), []);
    assert.deepEqual(names(parting.step(input({ nowMs: 121_001 }))), []);
  });

  it("begins anew if it was asked for meanwhile", () => {
    const { parting } = after({ nowMs: 1_000 });
    parting.step(input({ plan: planOf([peer(2), peer(3)]), nowMs: 100_000 }));
    assert.equal(parting.step(input({ nowMs: 110_000 })).dueMs, 230_000);
  });

  it("stays through an order that comes later", () => {
    const { parting } = after({});
    assert.deepEqual(names(parting.step(input({ ordered: true }))), ["Mesh_2", "Mesh_3"]);
  });
});

it("ends are quiet between nodes, but for those that are ordered", () => {
  const quiet = (ordered: boolean) =>
    new Parting()
      .step(input({ plan: planOf([peer(2), peer(9, "Global")]), ordered }))
      .plan.config.peers.flatMap(({ address, leaveQuietly }) =>
        leaveQuietly ? [formatAddress(address)] : [],
      );
  assert.deepEqual(quiet(false), ["10.0.0.2"]);
  assert.deepEqual(quiet(true), []);
});

it("the operator is told which, and of what nobody else tells", () => {
  const { output } = after({
    untold: () => [1, 2, 3, 4, 5, 6].map((n) => prefix(`10.${n}.0.0/16`)),
  });
  assert.deepEqual(keptLines(output), [
    "BGP sessions with 10.0.0.2, 10.0.0.3 are not configured any more; they are kept for 2 minutes at most, as no other session tells of 10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, 10.4.0.0/16, 2 more",
  ]);
  assert.deepEqual(keptLines(after({ untold: () => [] }).output), []);
});
