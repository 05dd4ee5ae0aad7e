import assert from "node:assert/strict";
import { test } from "node:test";
import { type Machine, missingPrerequisites } from "./prerequisites.ts";

const complete: Machine = {
  userId: 0,
  effectiveCapabilities: (1n << 12n) | (1n << 21n),
  hasProgram: () => true,
};

const cases: readonly (readonly [string, Partial<Machine>, readonly string[]])[] = [
  ["all there", {}, []],
  [
    "an ordinary user",
    { userId: 1000, effectiveCapabilities: 0n },
    ["it must run as root (it is user 1000): use sudo"],
  ],
  [
    "root in a container",
    { effectiveCapabilities: 1n << 12n },
    ["root lacks CAP_SYS_ADMIN here: a container needs --privileged, or --cap-add for each"],
  ],
  [
    "no nft, no ip",
    { hasProgram: (name) => name === "nsenter" },
    ["missing programs: ip, nft: apt-get install -y iproute2 nftables"],
  ],
];

for (const [name, machine, lines] of cases) {
  test(name, () => assert.deepEqual(missingPrerequisites({ ...complete, ...machine }), lines));
}
