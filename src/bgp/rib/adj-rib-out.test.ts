/** How much is taken at once: a thousand prefixes, or what their attributes take, whichever is less. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../../lib/index.ts";
import { AdjRibOut } from "./adj-rib-out.ts";
import { AdjRibOutPaths } from "./adj-rib-out-paths.ts";
import { SharedUpdates } from "./shared-updates.ts";
import { testNumber } from "./testing.ts";

const families = ["ipv4-unicast"] as const;
const numbers = Array.from({ length: 2000 }, (_, i) => testNumber(i * 64 * 256 + 32));

/** Of so many bytes, each prefix its own. */
function tables(bytes: number) {
  const sets = new Map(
    numbers.map((number) => [number, { bytes: new Uint8Array(bytes), nextHop: ipv4("192.0.2.1") }]),
  );
  const common = { families, maximumBytes: 65_535, updates: new SharedUpdates() };
  return {
    "one path": new AdjRibOut({ ...common, wanted: (number) => sets.get(number) }),
    "several paths": new AdjRibOutPaths({
      ...{ ...common, addPath: families },
      wanted: (number) => [{ peerId: 1, pathId: 0, attributes: sets.get(number)! }],
    }),
  };
}

describe("messages taken at once for a peer that may not read them", () => {
  for (const name of ["one path", "several paths"] as const) {
    for (const [bytes, rounds, most] of [
      [40, 2, 150_000],
      [60_000, 400, 400_000],
    ] as const) {
      it(`${name} to a prefix, ${bytes} bytes of attributes each: all in some ${rounds} rounds`, () => {
        const table = tables(bytes)[name];
        for (const number of numbers) table.touch(number);
        let taken = 0;
        let told = 0;
        for (; !table.idle; taken++) {
          const messages = table.take(1000);
          told += messages.length;
          assert.ok(messages.length > 0);
          assert.ok(messages.reduce((sum, { length }) => sum + length, 0) < most);
        }
        assert.equal(told, numbers.length);
        assert.ok(taken >= rounds && taken <= rounds + 5, `${taken} rounds`);
      });
    }
  }
});
