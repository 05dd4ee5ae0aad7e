import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerStatus } from "../bgp/index.ts";
import { ipv4, prefix4 } from "../lib/index.ts";
import type { ChangeOrders, ModeChange } from "../model/index.ts";
import type { MeshStanding } from "./bgp-runner.ts";
import { insteadOfMesh } from "./guard/sessions.ts";
import { meshMissing, meshMoved, meshWord } from "./mesh-progress.ts";

const peer = (address: string, state = "Established", lastError = "") =>
  ({ name: address, address: ipv4(address), state, lastError }) as PeerStatus;
const open = { mode: "on", resourceVersion: "7", open: true, closed: [] } as const;
const closed = { ...open, mode: "off", open: false } as const;
const standing: MeshStanding = {
  plan: open,
  mesh: [peer("172.139.20.76")],
  outside: [peer("172.139.20.75")],
  untold: [],
};
const change = (mesh: "on" | "off", orders: Partial<ChangeOrders> = {}): ModeChange => ({
  ...{ apiVersion: "switchyard.io/v1", kind: "ModeChange", metadata: { name: "m" } },
  spec: { mesh },
  status: {
    ...{ phase: "Canary", phaseSince: "", from: "on", history: [] },
    orders: { step: 1, widen: true, prove: "no", guard: true, moved: [], key: "", ...orders },
  },
});
const untold = [prefix4("10.244.1.0/26"), prefix4("10.244.2.0/26")];

const missing: readonly [string, "on" | "off", MeshStanding | undefined, string[]][] = [
  ["nothing is spoken", "off", undefined, ["this node speaks no BGP yet"]],
  ["a reflector tells of all", "off", standing, []],
  [
    "there is no reflector",
    "off",
    { ...standing, outside: [] },
    ["this node has no session outside of the mesh: no BGPPeer is meant for it"],
  ],
  [
    "the session with it is down, and the mesh alone tells",
    "off",
    { ...standing, outside: [peer("172.139.20.75", "Active", "refused")], untold },
    [
      "the session with 172.139.20.75 is Active (refused)",
      "no session outside of the mesh tells of 10.244.1.0/26, 10.244.2.0/26",
    ],
  ],
  ["the mesh is up", "on", standing, []],
  [
    "one takes no sessions, one is not up",
    "on",
    { ...standing, plan: { ...open, closed: ["node3"] }, mesh: [peer("172.139.20.76", "Connect")] },
    [
      "node3 takes no sessions of the mesh yet",
      "the session of the mesh with 172.139.20.76 is Connect",
    ],
  ],
];
for (const [name, mesh, at, lines] of missing) {
  test(`what a node misses for the mesh ${mesh} when ${name}`, () => {
    assert.deepEqual(meshMissing(change(mesh), at), lines);
  });
}

test("moved off: named, no session of the mesh is left, and none is needed", () => {
  const off = change("off", { moved: ["a"] });
  const gone = { ...standing, plan: closed, mesh: [] };
  const moved = (at: MeshStanding, node = "a") => meshMoved(off, { node, standing: at });
  assert.equal(moved(gone), true);
  assert.equal(moved(gone, "b"), false);
  assert.equal(moved({ ...gone, plan: open }), false);
  assert.equal(moved({ ...gone, untold }), false);
  assert.equal(moved({ ...gone, mesh: standing.mesh }), false);
});

test("moved on: named, and the mesh carries", () => {
  const on = change("on", { moved: "all" });
  assert.equal(meshMoved(on, { node: "a", standing }), true);
  const down = { ...standing, mesh: [peer("172.139.20.76", "Idle")] };
  assert.equal(meshMoved(on, { node: "a", standing: down }), false);
});

test("a node tells of its mesh while a change of it runs, and counts what is too much", () => {
  const mesh = Array.from({ length: 10 }, (_, i) => peer(`172.139.20.${80 + i}`, "Idle"));
  const { mesh: word } = meshWord({ ...standing, mesh }, [change("off")]);
  assert.deepEqual([word?.mode, word?.open, word?.resourceVersion], ["on", true, "7"]);
  assert.equal(word?.waiting.length, 9);
  assert.equal(word?.waiting.at(-1), "and 2 sessions more");
  assert.deepEqual(meshWord(standing, []), {});
});

test("to the guard, all that is there instead of a mesh that ends is one peer", () => {
  const at = (mesh: "on" | "off", found: MeshStanding) =>
    insteadOfMesh({ modeChanges: [change(mesh)] }, () => found).map(({ up }) => up);
  assert.deepEqual(at("off", standing), [true]);
  assert.deepEqual(at("off", { ...standing, untold }), [false]);
  assert.deepEqual(at("on", { ...standing, untold }), []);
});
