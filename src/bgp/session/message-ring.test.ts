/** The ring against a list: what it keeps are the last messages, whole, in order, within its bytes. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MessageRing } from "./message-ring.ts";

const OVERHEAD = 16;
const message = (length: number, fill: number) => new Uint8Array(length).fill(fill & 255);

describe("the ring of last messages", () => {
  it("keeps a run of the last ones that fills at least half of it less one message", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4000 }),
        fc.array(fc.integer({ min: 19, max: 600 }), { maxLength: 200 }),
        (limit, lengths) => {
          const ring = new MessageRing(limit);
          const fitting = lengths.filter((length) => length + OVERHEAD <= limit >>> 1);
          lengths.forEach((length, i) => {
            const kept = ring.put(i, i * 7, message(length, i));
            assert.equal(kept, length + OVERHEAD <= limit >>> 1);
          });
          const entries = ring.entries();
          const expected = lengths
            .map((length, i) => ({ atMs: i, tag: i * 7, bytes: message(length, i) }))
            .filter(({ bytes }) => bytes.length + OVERHEAD <= limit >>> 1)
            .slice(fitting.length - entries.length);
          assert.deepEqual(entries, expected);
          const size = entries.reduce((sum, { bytes }) => sum + bytes.length + OVERHEAD, 0);
          assert.ok(size <= limit, `${size} of ${limit}`);
          const all = fitting.reduce((sum, length) => sum + length + OVERHEAD, 0);
          assert.ok(size >= Math.min(all, (limit >>> 1) - 616), `${size} of ${limit}, ${all} put`);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("keeps the latest that fit when its limit changes, and nothing with none", () => {
    const ring = new MessageRing(4000);
    for (let i = 0; i < 40; i++) ring.put(i, i, message(34, i));
    assert.equal(ring.entries().length, 40);
    ring.setLimit(400);
    assert.deepEqual(
      ring.entries().map(({ tag }) => tag),
      [32, 33, 34, 35, 36, 37, 38, 39],
    );
    ring.setLimit(0);
    assert.deepEqual(ring.entries(), []);
    assert.equal(ring.put(1, 1, message(19, 1)), false);
  });

  it("hands out copies", () => {
    const ring = new MessageRing(200);
    ring.put(1, 1, message(19, 1));
    const [entry] = ring.entries();
    for (let i = 0; i < 20; i++) ring.put(2, 2, message(19, 2));
    assert.deepEqual(entry?.bytes, message(19, 1));
  });
});
