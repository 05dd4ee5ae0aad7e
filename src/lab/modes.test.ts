import assert from "node:assert/strict";
import { test } from "node:test";
import { type ModeName, modeNames, modeOfPool, parseMode, poolModeOf } from "./modes.ts";

const spellings: readonly (readonly [string, ModeName])[] = [
  ["IPIP Always", "IPIP Always"],
  ["ipip", "IPIP Always"],
  ["ipip-always", "IPIP Always"],
  ["IPIPCrossSubnet", "IPIP CrossSubnet"],
  ["ipip-cross-subnet", "IPIP CrossSubnet"],
  ["vxlan", "VXLAN Always"],
  ["vxlan-crosssubnet", "VXLAN CrossSubnet"],
  ["None", "None"],
  ["bgp", "None"],
];

for (const [text, mode] of spellings) {
  test(`${text} is ${mode}`, () => assert.equal(parseMode(text), mode));
}

test("anything else is refused with the modes there are", () => {
  assert.throws(() => parseMode("gre"), {
    code: "INVALID_ARGUMENT",
    message:
      '"gre" is no mode; one of ipip-always, ipip-crosssubnet, vxlan-always, vxlan-crosssubnet, none',
  });
});

test("a mode becomes a pool and is read back from it", () => {
  for (const name of modeNames) assert.equal(modeOfPool(poolModeOf(name)), name);
  assert.equal(modeOfPool({}), "None");
  assert.equal(modeOfPool({ ipipMode: "CrossSubnet" }), "IPIP CrossSubnet");
});
