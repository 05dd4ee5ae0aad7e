/** Tables stay right while the numbers of prefixes that are gone are given to others. */

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { formatPrefix, type Ipv4, type Prefix } from "../lib/index.ts";
import { prefixIndex } from "./rib/index.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";

/** Of every round others: what stays is next to what is new. */
const ROUNDS = 8;

const round = fc.record({
  fresh: fc.integer({ min: 100, max: 400 }),
  /** Of what there is. */
  dropped: fc.integer({ min: 0, max: 100 }),
  waitMs: fc.constantFrom(0, 1, 2 * SECOND),
});

it("a reflector and its clients hold what is originated after any history", async () => {
  let last = 0;
  const before = prefixIndex.capacity;
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: ROUNDS, maxLength: ROUNDS }), async (rounds) => {
      const world = new World();
      const client = { routeReflectorClient: true };
      await world.start(A, [B]);
      await world.start(B, [A, C], { peers: { [A]: client, [C]: client } });
      await world.start(C, [B]);
      const speaker = world.speakers.get(A)!;
      let held: Prefix[] = [];
      for (const { fresh, dropped, waitMs } of rounds) {
        const remove = held.filter((_, i) => (i * 37) % 100 < dropped);
        const gone = new Set(remove);
        const added = Array.from({ length: fresh }, () => ({
          address: (0x0b000000 + 256 * ++last) as Ipv4,
          length: 24,
        }));
        held = [...held.filter((each) => !gone.has(each)), ...added];
        speaker.changeOriginated({ add: added.map((each) => ({ prefix: each })), remove });
        await world.advance(waitMs);
      }
      await world.advance(10 * SECOND);
      const expected = held.map(formatPrefix).sort();
      assert.deepEqual(world.routes(B), expected);
      assert.deepEqual(world.routes(C), expected);
      for (const each of [A, B, C]) world.kill(each);
    }),
    { numRuns: 25 },
  );
  assert.ok(last > prefixIndex.capacity, "numbers were given again");
  assert.ok(prefixIndex.capacity > before, "and more were made");
});
