import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  decodePacket,
  encodePacket,
  PROBE_HEADER_BYTES,
  type ProbePacket,
  packetKinds,
  probeIdentity,
} from "./packet.ts";
import { ReplayGuard } from "./replay-window.ts";

const key = new Uint8Array(32).fill(7);
const identity = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((id) => hex(id));
const hex = (id: bigint) => id.toString(16).padStart(16, "0");

const packets: fc.Arbitrary<ProbePacket> = fc.record({
  kind: fc.constantFrom(...packetKinds),
  change: identity,
  sender: identity,
  receiver: identity,
  session: identity,
  sequence: fc.nat({ max: 2 ** 32 - 1 }),
  value: fc.maxSafeNat(),
});

describe("probe packets", () => {
  test("what is written is read, at every size", () => {
    fc.assert(
      fc.property(packets, fc.nat({ max: 9000 }), (packet, bytes) => {
        const encoded = encodePacket(packet, key, bytes);
        assert.equal(encoded.length, Math.max(bytes, PROBE_HEADER_BYTES));
        assert.deepEqual({ ...decodePacket(encoded, () => key) }, { ...packet });
      }),
    );
  });

  test("one bent bit, one byte more or less, and it is none", () => {
    fc.assert(
      fc.property(packets, fc.nat({ max: 200 }), fc.nat(), (packet, bytes, where) => {
        const encoded = encodePacket(packet, key, bytes);
        const bent = Uint8Array.from(encoded);
        const bit = where % (bent.length * 8);
        bent[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(
          decodePacket(bent, () => key),
          undefined,
        );
        assert.equal(
          decodePacket(encoded.subarray(0, -1), () => key),
          undefined,
        );
        assert.equal(
          decodePacket(Buffer.concat([encoded, Uint8Array.of(0)]), () => key),
          undefined,
        );
      }),
    );
  });

  test("any bytes are read without harm, and are none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(
          decodePacket(bytes, () => key),
          undefined,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test("the key is asked for by change; another key, or none, makes it none", () => {
    const packet: ProbePacket = {
      kind: "request",
      change: probeIdentity("to-none"),
      sender: probeIdentity("host-a"),
      receiver: probeIdentity("host-b"),
      session: hex(1n),
      sequence: 3,
      value: 4,
    };
    const encoded = encodePacket(packet, key);
    const asked: string[] = [];
    const note = (change: string) => {
      asked.push(change);
      return undefined;
    };
    assert.equal(decodePacket(encoded, note), undefined);
    assert.deepEqual(asked, [probeIdentity("to-none")]);
    assert.equal(
      decodePacket(encoded, () => new Uint8Array(32)),
      undefined,
    );
  });

  test("names are told apart", () => {
    assert.match(probeIdentity("host-a"), /^[0-9a-f]{16}$/);
    assert.notEqual(probeIdentity("host-a"), probeIdentity("host-b"));
  });
});

describe("replays", () => {
  test("of any order of numbers each is taken once, as in a set, while it is in the window", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 12_000 }), { maxLength: 400 }), (sequences) => {
        const guard = new ReplayGuard();
        const seen = new Set<number>();
        let highest = -1;
        for (const sequence of sequences) {
          const expected = !seen.has(sequence) && sequence > highest - 4096;
          assert.equal(guard.isNew({ sender: "a", session: "1", sequence }), expected);
          seen.add(sequence);
          highest = Math.max(highest, sequence);
        }
      }),
    );
  });

  test("sessions and senders do not disturb each other, and are bounded", () => {
    const guard = new ReplayGuard();
    assert.equal(guard.isNew({ sender: "a", session: "1", sequence: 0 }), true);
    assert.equal(guard.isNew({ sender: "b", session: "1", sequence: 0 }), true);
    for (let session = 2; session <= 16; session++) {
      assert.equal(guard.isNew({ sender: "a", session: `${session}`, sequence: 0 }), true);
    }
    assert.equal(guard.isNew({ sender: "a", session: "1", sequence: 0 }), false);
    assert.equal(guard.isNew({ sender: "b", session: "1", sequence: 0 }), false);
  });
});
