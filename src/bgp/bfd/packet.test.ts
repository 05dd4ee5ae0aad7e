/** The control packet: there and back, what is refused (RFC 5880 section 6.8.6), and whatever may come. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type BfdPacket, decodeBfd, diagnosticText, encodeBfd } from "./packet.ts";

const uint32 = fc.nat(0xffffffff);
const packets: fc.Arbitrary<BfdPacket> = fc
  .record({
    diagnostic: fc.nat(31),
    state: fc.constantFrom("AdminDown" as const, "Down" as const, "Init" as const, "Up" as const),
    poll: fc.boolean(),
    final: fc.boolean(),
    controlPlaneIndependent: fc.boolean(),
    demand: fc.boolean(),
    detectMultiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
    yourDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
    desiredMinTxUs: uint32,
    requiredMinRxUs: uint32,
  })
  .map((packet) => ({ ...packet }));

/** Up, 300 ms each way, three times, discriminators 1 and 2. */
const good = Uint8Array.from([
  ...[0x20, 0xc0, 3, 24, 0, 0, 0, 1, 0, 0, 0, 2],
  ...[0, 4, 0x93, 0xe0, 0, 4, 0x93, 0xe0, 0, 0, 0, 0],
]);

function changed(changes: Readonly<Record<number, number>>, length = 24): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(good.subarray(0, length));
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

describe("BFD control packets", () => {
  it("are what RFC 5880 section 4.1 shows", () => {
    const decoded = decodeBfd(good);
    assert.deepEqual(decoded, {
      kind: "packet",
      packet: {
        ...{ diagnostic: 0, state: "Up", poll: false, final: false, demand: false },
        ...{ controlPlaneIndependent: false, detectMultiplier: 3 },
        ...{ myDiscriminator: 1, yourDiscriminator: 2 },
        ...{ desiredMinTxUs: 300_000, requiredMinRxUs: 300_000 },
      },
    });
    assert.deepEqual(encodeBfd((decoded as { packet: BfdPacket }).packet), good);
  });

  it("come back as they were sent", () => {
    fc.assert(
      fc.property(packets, (packet) => {
        assert.deepEqual(decodeBfd(encodeBfd(packet)), { kind: "packet", packet });
      }),
    );
  });

  const refused: readonly [what: string, bytes: Uint8Array, reason: RegExp][] = [
    ["too few bytes", changed({}, 23), /^23 bytes$/],
    ["version 0", changed({ 0: 0 }), /^version 0$/],
    ["version 2", changed({ 0: 0x40 }), /^version 2$/],
    ["a length below 24", changed({ 3: 23 }), /^length 23 /],
    ["a length beyond the datagram", changed({ 3: 25 }), /^length 25 in 24 bytes$/],
    ["authentication in 24 bytes", changed({ 1: 0xc4 }), /^length 24 /],
    ["authentication", changed({ 1: 0xc4, 3: 26 }, 26), /^authentication$/],
    ["detect multiplier 0", changed({ 2: 0 }), /^detect multiplier 0$/],
    ["the multipoint bit", changed({ 1: 0xc1 }), /^multipoint bit$/],
    ["no discriminator of its own", changed({ 7: 0 }), /^my discriminator 0$/],
    ["Up towards nobody", changed({ 11: 0 }), /^your discriminator 0 in state Up$/],
    ["Init towards nobody", changed({ 1: 0x80, 11: 0 }), /^your discriminator 0 in state Init$/],
  ];
  for (const [what, bytes, reason] of refused) {
    it(`with ${what} are discarded`, () => {
      const decoded = decodeBfd(bytes);
      assert.equal(decoded.kind, "discard");
      assert.match((decoded as { reason: string }).reason, reason);
    });
  }

  for (const [state, flags] of [
    ["Down", 0x40],
    ["AdminDown", 0],
  ] as const) {
    it(`in state ${state} may come towards nobody`, () => {
      assert.equal(decodeBfd(changed({ 1: flags, 11: 0 })).kind, "packet");
    });
  }

  it("may be followed by more than their length tells", () => {
    assert.deepEqual(decodeBfd(changed({ 29: 7 }, 30)), decodeBfd(good));
  });

  it("whatever comes, are decoded or discarded; what is decoded is sent again as it came", () => {
    const damaged = fc
      .array(fc.tuple(fc.nat(23), fc.nat(255)), { maxLength: 4 })
      .map((changes) => changed(Object.fromEntries(changes)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), damaged), (bytes) => {
        const decoded = decodeBfd(bytes);
        if (decoded.kind === "discard") return;
        const again = decodeBfd(encodeBfd(decoded.packet));
        assert.deepEqual(again, decoded);
      }),
      { numRuns: 2000 },
    );
  });

  it("name their diagnostics", () => {
    assert.equal(diagnosticText(1), "Control Detection Time Expired");
    assert.equal(diagnosticText(31), "diagnostic 31");
  });
});
