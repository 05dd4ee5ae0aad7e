/** The fuzzer itself: that it finds what only coverage leads to, and that it says how to play it again. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Coverage } from "./coverage.ts";
import { explore } from "./explore.ts";
import { formatInput, type Input, parseInput } from "./input.ts";
import { seededRandom } from "./mutate.ts";

/** Some seconds together; `npm run fuzz` goes on for as long as it is told. */
const SHORT = 600;
const SHORT_SESSIONS = 40;

const input = (...chunks: readonly (readonly number[])[]): Input =>
  chunks.map((bytes) => ({ bytes: Uint8Array.from(bytes), pause: 0 }));

describe("the fuzzer", () => {
  it("finds what lies behind one condition after another, and shortens it", async () => {
    const coverage = new Coverage("/bench/fuzz/locked.ts");
    // Only what is loaded afterwards is counted.
    const { open } = await import("./locked.ts");
    const target = { name: "locked", seeds: [input([1, 2, 3, 4, 5, 6])], run: open };
    const goOn = (executions: number) => executions < 50_000;
    const { finding, executions } = await explore({
      ...{ target, coverage, random: seededRandom(1), goOn },
    });
    coverage.close();
    assert.match(String(finding?.error), /open/, `${executions} executions`);
    // By chance alone it is one in 2^32.
    assert.deepEqual(
      finding!.input.map(({ bytes }) => [...bytes]),
      [[0x42, 0x47, 0x50, 0x21]],
    );
  });

  it("writes inputs so that they can be read again", () => {
    const given: Input = [
      { bytes: Uint8Array.of(0, 255), pause: 3 },
      { bytes: new Uint8Array(0), pause: 0 },
    ];
    assert.equal(formatInput(given), "00ff.3 .0");
    assert.deepEqual(parseInput(formatInput(given)), given);
    assert.throws(() => parseInput("00f.1"), RangeError);
  });
});

describe("what a BGP peer may send, for a moment", () => {
  it("is stood by every decoder and by whole sessions", async () => {
    const coverage = new Coverage("/src/bgp/");
    const { targets } = await import("./bgp.ts");
    assert.ok(targets.length >= 5);
    for (const target of targets) {
      const runs = target.name.startsWith("session") ? SHORT_SESSIONS : SHORT;
      const { finding, executions, corpus } = await explore({
        ...{ target, coverage, random: seededRandom(1) },
        goOn: (executed) => executed < runs,
      });
      const replay = `${target.name} ${formatInput(finding?.input ?? [])}`;
      assert.equal(finding?.error, undefined, replay);
      assert.ok(executions >= runs);
      const more = corpus.length - target.seeds.length;
      if (target.name === "messages") assert.ok(more > 10, `${more} found by change`);
    }
    coverage.close();
  });
});
