/** A peer may tell hundreds of paths to a prefix (RFC 7911): one more costs a look at each, not at each pair. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../../lib/index.ts";
import type { MultipathConfig } from "../types.ts";
import { MAXIMUM_PATHS } from "./adj-rib-in-paths.ts";
import { LocRib } from "./loc-rib.ts";
import { makePath, type Path } from "./path.ts";
import { testNumber, testSource } from "./testing.ts";

const source = testSource(1, { localAddress: ipv4("192.0.2.1") });
const number = testNumber(1);
const identity = { as: 64512, routerId: ipv4("192.0.2.1"), clusterId: ipv4("192.0.2.1") };

/** Each with a MED of its own, if so told, the worst first: all are as good up to it. */
function paths(med: (number: number) => number, onLook: () => void): Path[] {
  return Array.from({ length: MAXIMUM_PATHS }, (_, index) => {
    const path = makePath({
      source,
      identity,
      pathId: index + 1,
      attributes: { origin: "igp", asPath: [], nextHop: ipv4("192.0.2.5"), med: med(index) },
    });
    const attributes = { ...path.attributes };
    Object.defineProperty(attributes, "med", {
      get: () => {
        onLook();
        return med(index);
      },
    });
    return { ...path, attributes };
  });
}

describe("as many paths to a prefix as a peer may tell", () => {
  const multipaths: [string, MultipathConfig | undefined][] = [
    ["one is used", undefined],
    ["several are used", { maximumPaths: 4 }],
  ];
  for (const [name, multipath] of multipaths) {
    for (const [meds, med] of [
      ["falling MEDs", (number: number) => 1000 - number],
      ["one MED", () => 5],
    ] as const) {
      it(`${name}, ${meds}: each is looked at a few times for each that comes`, () => {
        let looks = 0;
        const rib = new LocRib(multipath);
        for (const path of paths(med, () => looks++)) rib.replace(number, path);
        const pairs = MAXIMUM_PATHS * MAXIMUM_PATHS;
        assert.equal(rib.paths(number).length, MAXIMUM_PATHS);
        assert.ok(looks < 25 * pairs, `${(looks / pairs).toFixed(1)} looks at each`);
      });
    }
  }
});
