/** Messages are shared where they say the same, and only there. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ipv4 } from "../../lib/index.ts";
import { encodeAnnounce, encodeAttributes, encodeWithdraw } from "../wire/index.ts";
import { SharedUpdates } from "./shared-updates.ts";

const nextHop = ipv4("192.0.2.1");
const sets = [1, 2].map((med) => ({
  bytes: encodeAttributes({ origin: "igp", asPath: [], nextHop, med }, { fourOctetAs: true }),
  nextHop,
}));
const family = "ipv4-unicast" as const;
const keys = Array.from({ length: 2000 }, (_, i) => i * 64 * 256 + 24);

describe("messages for several peers", () => {
  it("are those that each would have been sent alone", () => {
    const telling = fc.record({
      set: fc.constantFrom(undefined, 0, 1),
      first: fc.nat(2),
      count: fc.constantFrom(1, 2, 2000),
      withIds: fc.boolean(),
      maximumBytes: fc.constantFrom(4096, 65_535),
    });
    fc.assert(
      fc.property(fc.array(telling, { maxLength: 20 }), (tellings) => {
        const updates = new SharedUpdates();
        for (const { set, first, count, withIds, maximumBytes } of tellings) {
          const some = keys.slice(first, first + count);
          const nlri = { keys: some, ids: withIds ? some.map(() => 1 + first) : undefined };
          const options = { family, maximumBytes };
          const attributes = set === undefined ? undefined : sets[set]!;
          const alone = attributes
            ? encodeAnnounce({ ...options, ...nlri, attributes: attributes.bytes, nextHop })
            : encodeWithdraw({ ...options, ...nlri });
          const shared = attributes
            ? updates.announce(attributes, nlri, options)
            : updates.withdraw(nlri, options);
          assert.deepEqual(shared, alone);
        }
      }),
    );
  });

  it("are made once for the next peer that is told the same", () => {
    const updates = new SharedUpdates();
    const options = { family, maximumBytes: 4096 };
    const told = () => [
      ...updates.announce(sets[0]!, { keys: [...keys] }, options),
      ...updates.withdraw({ keys: [...keys] }, options),
    ];
    const first = told();
    for (const [i, message] of told().entries()) assert.equal(message, first[i]);
  });
});
