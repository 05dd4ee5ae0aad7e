import assert from "node:assert/strict";
import { test } from "node:test";
import { vxlanMacOf } from "./vxlan-mac.ts";

test("a node's VXLAN device has the MAC address that Felix would give it", () => {
  // printf node1 | sha1sum
  assert.equal(vxlanMacOf("node1"), "66:f9:37:c3:7e:94");
});
