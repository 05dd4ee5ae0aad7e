/** What a change of the mesh is held against: the BGPConfiguration, and what nodes say of their mesh. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BGPConfiguration, ModeChange, NodeMode } from "../../model/index.ts";
import { committed, notThere, targetOf } from "./target.ts";
import type { World } from "./types.ts";

const configuration = (nodeToNodeMeshEnabled: boolean): BGPConfiguration => ({
  apiVersion: "projectcalico.org/v3",
  kind: "BGPConfiguration",
  metadata: { name: "default", resourceVersion: "7" },
  spec: { asNumber: 64512, nodeToNodeMeshEnabled },
});
const world = (mesh: BGPConfiguration | undefined) => ({ mesh }) as World;
const change = (mesh: "on" | "off", ordered = false) =>
  ({ spec: { mesh }, status: ordered ? { orders: {} } : {} }) as unknown as ModeChange;
const node = (mesh: Partial<NonNullable<NonNullable<NodeMode["status"]>["mesh"]>> | undefined) => {
  const said = { mode: "on", resourceVersion: "7", open: true, waiting: [], ...mesh };
  return { status: { agentVersion: "1", ...(mesh && { mesh: said }) } } as unknown as NodeMode;
};

test("the mesh is on where nothing says otherwise, and its commit keeps the other fields", () => {
  assert.equal(targetOf(change("off"), world(undefined)).says, "on");
  const made = committed(change("off"), world(undefined));
  assert.deepEqual(made?.spec, { nodeToNodeMeshEnabled: false });
  assert.equal(made?.metadata.name, "default");
  const kept = committed(change("off"), world(configuration(true)));
  assert.deepEqual(kept?.spec, { asNumber: 64512, nodeToNodeMeshEnabled: false });
  assert.equal(kept?.metadata.resourceVersion, "7");
});

const off = { mode: "off", open: false } as const;
for (const [name, stored, of, said, why] of [
  ["is where the mesh is on", true, change("off"), {}, undefined],
  ["says nothing of the mesh", true, change("off"), undefined, /says nothing of the mesh/],
  ["has acted on an older one", true, change("off"), { resourceVersion: "6" }, /has not acted/],
  ["is moved already", true, change("off", true), off, /plans with the mesh off/],
  ["has none yet", true, change("on", true), { open: false }, /takes no sessions/],
  ["is where the mesh is off", false, change("on"), off, undefined],
  ["has been widened", false, change("on", true), { mode: "off" }, undefined],
  ["has sessions left", false, change("on"), { mode: "off" }, /still has sessions/],
] as const) {
  test(`a node that ${name}`, () => {
    const found = notThere(of, world(configuration(stored)), node(said));
    if (why === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", why);
  });
}
