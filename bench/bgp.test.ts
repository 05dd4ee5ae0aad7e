/** What the peers of the BGP benchmark send is what they wait for. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Framer, keyOfPrefix, prefixOfKey } from "../src/bgp/wire/index.ts";
import { type BgpCase, bgpCases, prefixCount, type Step } from "./bgp-cases.ts";
import { readUpdate } from "./bgp-read.ts";
import {
  attributesOf,
  passes,
  prefixAt,
  routeSets,
  wantedAt,
  wantedWhileDown,
} from "./bgp-routes.ts";
import { Tally } from "./bgp-tally.ts";
import { stepPieces } from "./bgp-wire.ts";

const cases = new Map(bgpCases(0.004).map((each) => [each.name, each]));

/** UPDATEs read by a receiver as if the subject passed them on with its AS before. */
function relay(pieces: readonly Uint8Array[], tally: Tally): void {
  const framer = new Framer();
  for (const piece of pieces) {
    framer.push(piece);
    for (let message = framer.next(); message; message = framer.next()) {
      readUpdate(message, {
        withdrawn: (index) => tally.withdrawn(index),
        announced: (index, path) => tally.announced(index, [65000, ...path]),
      });
    }
  }
}

function receiver(bgp: BgpCase): Tally & { step(step: Step): void } {
  const tally = new Tally(prefixCount(bgp));
  return Object.assign(tally, {
    step: (step: Step) => tally.expect(wantedAt(bgp, step, "receiver")),
  });
}

describe("the BGP benchmark", () => {
  for (const [name, count] of [
    ["table", 2000],
    ["table6", 1000],
  ] as const) {
    it(`sees when a whole ${name} has come, and gone`, () => {
      const bgp = cases.get(name)!;
      assert.equal(prefixCount(bgp), count);
      const tally = receiver(bgp);
      tally.step("announce");
      assert.equal(tally.done, false);
      relay(stepPieces(bgp, "announce", 0), tally);
      assert.equal(tally.done, true);
      tally.step("withdraw");
      assert.equal(tally.done, false);
      tally.withdrawn(0);
      assert.equal(tally.done, false);
      relay(stepPieces(bgp, "withdraw", 0), tally);
      assert.equal(tally.done, true);
      assert.throws(() => tally.withdrawn(count), RangeError);
    });

    it(`waits for the end of the churn of ${name}`, () => {
      const bgp = cases.get(name)!;
      const tally = receiver(bgp);
      tally.step("churn");
      const pieces = stepPieces(bgp, "churn", 0);
      assert.equal(pieces.length, 3 * bgp.churnRounds + 1);
      relay(pieces.slice(0, -1), tally);
      assert.equal(tally.done, false);
      assert.match(tally.words, /^0 held, 0 of/);
      relay(pieces.slice(-1), tally);
      assert.equal(tally.done, true);
    });
  }

  it("announces with other attributes each time that it churns", () => {
    const bgp = cases.get("overlap")!;
    const seen = new Set<string>();
    const announced = passes(bgp, "churn", 3).filter((pass) => pass.kind === "announce");
    assert.equal(announced.length, 2 * bgp.churnRounds + 1);
    for (const { generation } of announced) {
      for (const { number } of routeSets(bgp, 3)) {
        seen.add(JSON.stringify(attributesOf(bgp, 3, { set: number, generation })));
      }
    }
    assert.equal(seen.size, announced.length * routeSets(bgp, 3).length);
  });

  it("knows the best of overlapping routes by the shortest path", () => {
    const bgp = cases.get("overlap")!;
    const wanted = wantedAt(bgp, "announce", "receiver")!;
    assert.ok(wanted.kind === "told");
    const best = new Map<number, readonly number[]>();
    for (let feeder = 0; feeder < bgp.feeders; feeder++) {
      for (const { number, prefixes } of routeSets(bgp, feeder)) {
        const { asPath } = attributesOf(bgp, feeder, { set: number, generation: 0 });
        for (const prefix of prefixes) {
          const known = best.get(prefix);
          assert.notEqual(known?.length, asPath.length);
          if (known === undefined || asPath.length < known.length) best.set(prefix, asPath);
        }
      }
    }
    assert.equal(best.size, prefixCount(bgp));
    for (const [prefix, path] of best) assert.ok(wanted.right(prefix, [65000, ...path]));
    const tally = receiver(bgp);
    tally.step("announce");
    relay(stepPieces(bgp, "announce", 1), tally);
    assert.equal(tally.done, false);
  });

  it("waits for the last of a flapping peer's announcements", () => {
    const bgp = cases.get("reflector")!;
    assert.deepEqual(stepPieces(bgp, "route-flap", 1), []);
    assert.equal(wantedAt(bgp, "route-flap", 0), undefined);
    const tally = receiver(bgp);
    tally.expect(wantedAt(bgp, "route-flap", 1));
    const pieces = stepPieces(bgp, "route-flap", 0);
    assert.equal(pieces.length, 401);
    relay(pieces.slice(0, -1), tally);
    assert.equal(tally.done, false);
    assert.match(tally.words, /^4 held, 0 of 4/);
    relay(pieces.slice(-1), tally);
    assert.equal(tally.done, true);
  });

  it("waits for a flapping session's routes to go, and to come back", () => {
    const bgp = cases.get("reflector")!;
    const tally = receiver(bgp);
    tally.step("announce");
    for (let i = 0; i < bgp.feeders; i++) relay(stepPieces(bgp, "announce", i), tally);
    assert.equal(tally.done, true);
    tally.expect(wantedWhileDown(bgp, "receiver"));
    for (let index = 0; index < bgp.prefixes; index++) {
      assert.equal(tally.done, false);
      tally.withdrawn(index);
    }
    assert.equal(tally.done, true);
    tally.step("session-flap");
    assert.equal(tally.done, false);
    // Told again for whatever reason: not what is waited for.
    relay(stepPieces(bgp, "announce", 1), tally);
    assert.equal(tally.done, false);
    relay(stepPieces(bgp, "session-flap", 0), tally);
    assert.equal(tally.done, true);
    // Who flaps is told all that the others have, on a session that begins with nothing.
    tally.clear();
    tally.expect(wantedAt(bgp, "session-flap", 0));
    relay(stepPieces(bgp, "announce", 0), tally);
    for (let i = 1; i < bgp.feeders; i++) {
      assert.equal(tally.done, false);
      relay(stepPieces(bgp, "announce", i), tally);
    }
    assert.equal(tally.done, true);
    assert.equal(wantedWhileDown(bgp, 0), undefined);
    assert.equal(wantedWhileDown(cases.get("mesh")!, 1), undefined);
  });

  it("does not wait for a client's own routes", () => {
    const bgp = cases.get("reflector")!;
    const wanted = wantedAt(bgp, "announce", 1)!;
    assert.ok(wanted.kind === "told");
    const all = Array.from({ length: prefixCount(bgp) }, (_, prefix) => prefix);
    assert.equal(all.filter((prefix) => wanted.right(prefix, [])).length, wanted.count);
    assert.equal(wanted.right(4, []), false);
    assert.equal(wantedAt(cases.get("mesh")!, "announce", 1), undefined);
  });

  it("gives each prefix a number of its own in both families", () => {
    for (const family of ["ipv4-unicast", "ipv6-unicast"] as const) {
      const keys = [0, 1, 255, 256, 499_999].map((i) => keyOfPrefix(prefixAt(family, i)));
      assert.equal(new Set(keys).size, 5);
      // No bit beyond its length: what is announced is what is counted.
      for (const [at, index] of [0, 1, 255, 256, 499_999].entries()) {
        assert.deepEqual(prefixOfKey(keys[at]!), prefixAt(family, index));
      }
    }
  });

  it("does the steps that were asked for, after the announcement", () => {
    const steps = (...names: string[]) => bgpCases(1, names).map((each) => each.steps.join());
    assert.deepEqual(steps("churn")[0], "announce,churn");
    assert.deepEqual(steps("session-flap")[4], "announce,session-flap");
    assert.deepEqual(new Set(steps("announce")), new Set(["announce"]));
  });
});
