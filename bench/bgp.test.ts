/** The parts of the BGP benchmark by themselves: what is sent is what is waited for. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Framer } from "../src/bgp/wire/index.ts";
import { caseRows } from "./bgp.ts";
import {
  type BgpCase,
  batches,
  bgpCases,
  prefixAt,
  prefixCount,
  prefixIndex,
  type Step,
  wantedAt,
} from "./bgp-cases.ts";
import type { Figures } from "./bgp-run.ts";
import { Tally } from "./bgp-tally.ts";
import { readUpdate, stepBytes } from "./bgp-wire.ts";

const cases = new Map(bgpCases(0.004).map((each) => [each.name, each]));

/** The UPDATEs of a feeder, read by a receiver as if the subject passed them on with its AS before. */
function relay(bgp: BgpCase, tally: Tally, [step, feeder]: [Step, number]): void {
  const framer = new Framer();
  framer.push(stepBytes(bgp, step, feeder));
  for (let message = framer.next(); message; message = framer.next()) {
    readUpdate(message, {
      withdrawn: (address) => tally.withdrawn(address),
      announced: (address, path) => tally.announced(address, [65000, ...path]),
    });
  }
}

describe("the BGP benchmark", () => {
  it("sees when a whole table has come, and gone", () => {
    const bgp = cases.get("table")!;
    assert.equal(prefixCount(bgp), 2000);
    const tally = new Tally(2000);
    tally.expect(wantedAt(bgp, "announce", "receiver"));
    assert.equal(tally.done, false);
    relay(bgp, tally, ["announce", 0]);
    assert.equal(tally.done, true);
    tally.expect(wantedAt(bgp, "withdraw", "receiver"));
    assert.equal(tally.done, false);
    tally.withdrawn(prefixAt(0).address);
    assert.equal(tally.done, false);
    relay(bgp, tally, ["withdraw", 0]);
    assert.equal(tally.done, true);
    assert.throws(() => tally.withdrawn(prefixAt(2000).address), RangeError);
  });

  it("knows the best of overlapping routes by the shortest path", () => {
    const bgp = cases.get("overlap")!;
    const { right } = wantedAt(bgp, "announce", "receiver")!;
    const best = new Map<number, readonly number[]>();
    for (let feeder = 0; feeder < bgp.feeders; feeder++) {
      for (const { attributes, prefixes } of batches(bgp, "announce", feeder)) {
        for (const prefix of prefixes) {
          const { asPath } = attributes!;
          const known = best.get(prefix);
          assert.notEqual(known?.length, asPath.length);
          if (known === undefined || asPath.length < known.length) best.set(prefix, asPath);
        }
      }
    }
    assert.equal(best.size, prefixCount(bgp));
    for (const [prefix, path] of best) assert.ok(right(prefix, [65000, ...path]));
    const tally = new Tally(prefixCount(bgp));
    tally.expect(wantedAt(bgp, "announce", "receiver"));
    relay(bgp, tally, ["announce", 1]);
    assert.equal(tally.done, false);
  });

  it("waits for the last of a flapping peer's announcements", () => {
    const bgp = cases.get("reflector")!;
    const flapping = batches(bgp, "flap", 0);
    assert.deepEqual(batches(bgp, "flap", 1), []);
    assert.equal(wantedAt(bgp, "flap", 0), undefined);
    const { count, right } = wantedAt(bgp, "flap", 1)!;
    assert.equal(count, 4);
    const rights = flapping.map(({ attributes }) => right(0, attributes?.asPath ?? []));
    assert.equal(rights.indexOf(true), rights.length - 1);
  });

  it("does not wait for a client's own routes", () => {
    const bgp = cases.get("reflector")!;
    const { count, right } = wantedAt(bgp, "announce", 1)!;
    const all = Array.from({ length: prefixCount(bgp) }, (_, prefix) => prefix);
    assert.equal(all.filter((prefix) => right(prefix, [])).length, count);
    assert.equal(right(4, []), false);
    assert.equal(wantedAt(cases.get("mesh")!, "announce", 1), undefined);
  });

  it("numbers prefixes there and back", () => {
    for (const index of [0, 1, 255, 256, 499_999]) {
      assert.equal(prefixIndex(prefixAt(index).address), index);
    }
  });

  it("holds ours against each other subject", () => {
    const bgp = cases.get("table")!;
    const figures = (seconds: number): ReadonlyMap<Step, Figures> => {
      const each = { seconds, silenceMs: 900, trafficCpuSeconds: 1, cpuSeconds: 1 };
      const whole = { ...each, waitedSeconds: 0, peakBytes: 2 ** 20 };
      return new Map([
        ["announce", whole],
        ["withdraw", whole],
      ]);
    };
    const ours = ["switchyard", figures(1.4)] as const;
    const rows = caseRows(bgp, new Map([ours, ["bird", figures(1)], ["frr", figures(1.4)]]));
    const times = rows.filter(({ metric }) => metric === "until the last route");
    assert.deepEqual(
      times.map(({ peer, pass }) => [peer, pass]),
      [
        ["bird", true],
        ["frr", false],
        ["bird", true],
        ["frr", false],
      ],
    );
    const [delay] = rows.filter(({ metric }) => metric === "keepalive delay");
    assert.deepEqual([delay?.value, delay?.pass], [0, true]);
    const alone = caseRows(bgp, new Map([["bird", figures(1)]]));
    assert.equal(alone[0]?.metric, "until the last route of bird");
  });
});
