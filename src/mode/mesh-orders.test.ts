import assert from "node:assert/strict";
import { test } from "node:test";
import type { BGPConfiguration, ChangeOrders, ModeChange } from "../model/index.ts";
import { meshChanges, meshOrders } from "./mesh-orders.ts";

const stored = (nodeToNodeMeshEnabled?: boolean): BGPConfiguration => ({
  apiVersion: "projectcalico.org/v3",
  kind: "BGPConfiguration",
  metadata: { name: "default", resourceVersion: "7" },
  spec: { ...(nodeToNodeMeshEnabled !== undefined && { nodeToNodeMeshEnabled }) },
});
const change = (mesh: "on" | "off", orders?: Partial<ChangeOrders>): ModeChange => ({
  ...{ apiVersion: "switchyard.io/v1", kind: "ModeChange", metadata: { name: "m" } },
  spec: { mesh },
  status: {
    ...{ phase: "Canary", phaseSince: "", from: mesh === "on" ? "off" : "on", history: [] },
    ...(orders && {
      orders: { step: 1, widen: true, prove: "no", guard: true, moved: [], key: "", ...orders },
    }),
  },
});

/** Pairs of nodes a, b and c that have a session, and what a says. */
const cases: readonly [string, BGPConfiguration[], ModeChange[], string, string][] = [
  ["nothing is stored", [], [], "ab ac bc", "on"],
  ["it is on", [stored()], [], "ab ac bc", "on"],
  ["it is off", [stored(false)], [], "", "off"],
  ["it is to end, without orders", [stored(true)], [change("off")], "ab ac bc", "on"],
  ["it is to end, nobody has moved", [stored(true)], [change("off", {})], "ab ac bc", "on"],
  ["one has moved", [stored(true)], [change("off", { moved: ["a"] })], "bc", "off"],
  ["all have moved", [stored(true)], [change("off", { moved: "all" })], "", "off"],
  ["it is stored, orders are there yet", [stored(false)], [change("off", {})], "", "off"],
  ["it is to come, without orders", [stored(false)], [change("on")], "", "off"],
  ["it is to come: widened", [stored(false)], [change("on", {})], "ab ac bc", "off"],
  ["it is to come, a moved", [stored(false)], [change("on", { moved: ["a"] })], "ab ac bc", "on"],
];
for (const [name, bgpConfigurations, modeChanges, pairs, mode] of cases) {
  test(`sessions of the mesh when ${name}; both ends agree`, () => {
    const of = (node: string) => meshOrders({ node, bgpConfigurations, modeChanges });
    const shared = (one: string, other: string) => of(one).open && of(one).sharedWith(other);
    const found = ["ab", "ac", "bc"].filter(([one = "", other = ""]) => shared(one, other));
    const mirrored = ["ba", "ca", "cb"].filter(([one = "", other = ""]) => shared(one, other));
    assert.equal(found.join(" "), pairs);
    assert.equal(mirrored.length, found.length);
    assert.equal(of("a").mode, mode);
  });
}

test("sessions that are added are marked, those of a stored mesh are not", () => {
  const of = (on: boolean, modeChanges: ModeChange[]) =>
    meshOrders({ node: "a", bgpConfigurations: [stored(on)], modeChanges }).added;
  assert.equal(of(false, [change("on", {})]), true);
  assert.equal(of(true, [change("on", {})]), false);
  assert.equal(of(true, [change("off", {})]), false);
});

test("nodes speak of the mesh as long as a change of it has not ended", () => {
  const over = change("off");
  assert.equal(meshChanges([over]), true);
  assert.equal(meshChanges([{ ...over, status: { ...over.status!, phase: "Done" } }]), false);
  assert.equal(meshChanges([{ ...over, spec: { pool: "pods", to: "none" } }]), false);
});
