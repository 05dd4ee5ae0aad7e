/** Jobs take turns; patient ones let others go first, and not for long. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../lib/index.ts";
import { Slices } from "./slices.ts";

function setup() {
  const clock = new FakeClock();
  const slices = new Slices(clock);
  const done: string[] = [];
  const job = (name: string) => () => {
    done.push(name);
    return false;
  };
  return { clock, slices, done, job };
}

describe("slices", () => {
  it("run each job until it says it is done, by turns", async () => {
    const { clock, slices, done } = setup();
    const counting = (name: string, count: number) => {
      let left = count;
      return () => {
        done.push(name);
        return --left > 0;
      };
    };
    slices.add(counting("a", 3));
    slices.add(counting("b", 2));
    await clock.advance(1);
    assert.deepEqual(done, ["a", "b", "a", "b", "a"]);
  });

  it("run a patient job in the first turn without another", async () => {
    const { clock, slices, done, job } = setup();
    slices.addPatient(job("patient"));
    slices.add(job("other"));
    await clock.advance(5);
    assert.deepEqual(done, ["other", "patient"]);
  });

  it("run a patient job once, though it is added again while it waits, and at once when it may not wait", async () => {
    const { clock, slices, done, job } = setup();
    const patient = job("patient");
    slices.addPatient(patient);
    slices.addPatient(patient);
    slices.add(patient);
    slices.addPatient(patient);
    slices.add(job("other"));
    await clock.advance(5);
    assert.deepEqual(done, ["patient", "other"]);
  });

  it("let a patient job wait for twenty milliseconds at most, however much there is to do", async () => {
    let nowMs = 0;
    const turns: (() => void)[] = [];
    const slices = new Slices({
      now: () => nowMs,
      monotonicMs: () => nowMs,
      schedule: (_, callback) => {
        turns.push(callback);
        return { cancel: () => undefined };
      },
    });
    let ranAtMs: number | undefined;
    // There is more to do in every turn, and each takes its time.
    slices.add(() => {
      nowMs += 6;
      return true;
    });
    slices.addPatient(() => {
      ranAtMs = nowMs;
      return false;
    });
    for (let turn = 0; turn < 10; turn++) turns.shift()!();
    assert.equal(ranAtMs, 30, "after four turns of 6 ms, and the one that is first in the fifth");
  });

  it("forget a job that is taken away", async () => {
    const { clock, slices, done, job } = setup();
    const [one, other] = [job("one"), job("other")];
    slices.add(one);
    slices.addPatient(other);
    slices.remove(one);
    slices.remove(other);
    await clock.advance(50);
    assert.deepEqual(done, []);
  });
});
