import assert from "node:assert/strict";
import { test } from "node:test";
import { type ModeName, modeNames } from "../model/index.ts";
import { parseMode } from "./modes.ts";

const spellings: readonly (readonly [string, ModeName])[] = [
  ...modeNames.map((name) => [name, name] as const),
  ["IPIP Always", "ipip"],
  ["ipip-always", "ipip"],
  ["IPIPCrossSubnet", "ipip-cross-subnet"],
  ["VXLANAlways", "vxlan"],
  ["vxlan-crosssubnet", "vxlan-cross-subnet"],
  ["None", "none"],
  ["bgp", "none"],
  ["never", "none"],
];

for (const [text, mode] of spellings) {
  test(`${text} is ${mode}`, () => assert.equal(parseMode(text), mode));
}

for (const text of ["gre", "always", "", "none-cross-subnet"]) {
  test(`${JSON.stringify(text)} is refused with the modes there are`, () => {
    assert.throws(() => parseMode(text), {
      code: "INVALID_ARGUMENT",
      message: `${JSON.stringify(text)} is no mode; one of ipip, ipip-cross-subnet, vxlan, vxlan-cross-subnet, none`,
    });
  });
}
