/** Single sentences of the standards about UPDATE that no table of faults holds. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatAddress, ipv4 } from "../../lib/index.ts";
import type { PathAttributes } from "./attributes/types.ts";
import { concatBytes, uint16 } from "./bytes.ts";
import { encodeMessage } from "./header.ts";
import {
  AttributeTable,
  asPathNumbers,
  decodeUpdate,
  encodeAttributes,
  ProtocolError,
  type Update,
} from "./index.ts";

type Bytes = readonly number[];

const WELL_KNOWN = 0x40;
const OPTIONAL = 0x80;
const OPTIONAL_TRANSITIVE = 0xc0;
const PARTIAL = 0x20;

const attribute = (flags: number, type: number, value: Bytes): number[] => [
  ...[flags, type, value.length],
  ...value,
];
const origin = attribute(WELL_KNOWN, 1, [0]);
const asPath = (...asns: number[]) =>
  attribute(WELL_KNOWN, 2, [2, asns.length, ...asns.flatMap((as) => [...uint16(as)])]);
const nextHop = attribute(WELL_KNOWN, 3, [192, 0, 2, 7]);
const route = [24, 10, 1, 2];
const address6 = [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1];
const reach6 = attribute(OPTIONAL, 14, [0, 2, 1, 16, ...address6, 0, 32, 0x20, 1, 0xd, 0xb8]);

function message(attributes: Bytes, nlri: Bytes = route): Uint8Array {
  const block = Uint8Array.from(attributes);
  const parts = [uint16(0), uint16(block.length), block, Uint8Array.from(nlri)];
  return encodeMessage(2, concatBytes(parts));
}

function read(bytes: Uint8Array, fourOctetAs = false): Update {
  return decodeUpdate(bytes, { fourOctetAs, peerType: "ebgp", table: new AttributeTable() });
}

function only(bytes: Uint8Array): PathAttributes {
  const { reach, treatedAsWithdraw } = read(bytes);
  assert.equal(treatedAsWithdraw, undefined);
  assert.equal(reach.length, 1);
  return reach[0]!.attributes;
}

describe("NEXT_HOP beside MP_REACH_NLRI alone (RFC 4760 section 3)", () => {
  for (const [name, value] of [
    ["good", [192, 0, 2, 7]],
    ["0.0.0.0, as some speakers send it", [0, 0, 0, 0]],
    ["of another length", [192, 0, 2]],
  ] as const) {
    it(`is ignored: ${name}`, () => {
      const bytes = message(
        [...reach6, ...origin, ...asPath(65000), ...attribute(WELL_KNOWN, 3, value)],
        [],
      );
      assert.equal(formatAddress(only(bytes).nextHop), "2001:db8::1");
    });
  }

  it("counts where there are IPv4 routes outside of it", () => {
    const bad = attribute(WELL_KNOWN, 3, [0, 0, 0, 0]);
    const { treatedAsWithdraw, withdrawn } = read(
      message([...reach6, ...origin, ...asPath(65000), ...bad]),
    );
    assert.match(treatedAsWithdraw ?? "", /0\.0\.0\.0/);
    assert.equal(withdrawn.length, 2);
  });
});

describe("what a NOTIFICATION about an UPDATE carries (RFC 4271 section 6.3)", () => {
  const data = (bytes: Uint8Array): number[] => {
    try {
      read(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return [...error.notification.data];
    }
    return assert.fail("no NOTIFICATION");
  };

  it("a well-known attribute nobody knows, whole", () => {
    const strange = attribute(WELL_KNOWN, 99, [7, 8]);
    assert.deepEqual(data(message([...origin, ...strange])), strange);
    const long = [WELL_KNOWN | 0x10, 99, 0, 2, 7, 8];
    assert.deepEqual(data(message([...origin, ...long])), long);
  });

  it("an MP attribute that cannot be read, whole", () => {
    for (const bad of [
      attribute(OPTIONAL, 14, [0, 2, 1]),
      attribute(OPTIONAL, 14, [0, 2, 1, 4, 1, 2, 3, 4, 0]),
      attribute(OPTIONAL, 15, [0, 2]),
    ]) {
      assert.deepEqual(data(message([...origin, ...bad], [])), bad);
    }
  });
});

describe("AS4_PATH (RFC 6793)", () => {
  const as4 = (...segments: Bytes[]) => attribute(OPTIONAL_TRANSITIVE, 17, segments.flat());
  const segment = (type: number, ...asns: number[]) => [
    ...[type, asns.length],
    ...asns.flatMap((as) => [as >>> 24, (as >>> 16) & 255, (as >>> 8) & 255, as & 255]),
  ];
  const base = [...origin, ...asPath(65000, 23456, 3), ...nextHop];
  const path = (...segments: Bytes[]) => {
    const update = read(message([...base, ...as4(...segments)]));
    const [reach] = update.reach;
    if (reach === undefined) return "withdraw";
    const text = asPathNumbers(reach.attributes.asPath).join(" ");
    return update.discarded.length > 0 ? `${text}, logged` : text;
  };

  it("takes the place of what it knows better", () => {
    assert.equal(path(segment(2, 70_000, 3)), "65000 70000 3");
  });

  it("loses its confederation segments, and is used without them (section 6)", () => {
    assert.equal(path(segment(3, 9, 9), segment(2, 70_000, 3)), "65000 70000 3, logged");
    assert.equal(path(segment(2, 70_000, 3), segment(3, 9)), "65000 70000 3, logged");
    assert.equal(path(segment(3, 9)), "65000 23456 3, logged");
  });

  it("with a set costs the route (RFC 9774 section 3)", () => {
    assert.equal(path(segment(2, 70_000), segment(1, 3)), "withdraw");
    assert.equal(path(segment(2, 70_000, 3), segment(4, 9)), "withdraw");
  });

  it("is ignored with AS4_AGGREGATOR where somebody aggregated since (section 4.2.3)", () => {
    const aggregator = attribute(OPTIONAL_TRANSITIVE, 7, [0, 9, 192, 0, 2, 1]);
    const as4Aggregator = attribute(OPTIONAL_TRANSITIVE, 18, [0, 1, 17, 112, 192, 0, 2, 2]);
    const trans = attribute(OPTIONAL_TRANSITIVE, 7, [0x5b, 0xa0, 192, 0, 2, 1]);
    const more = [...as4Aggregator, ...as4(segment(2, 70_000, 3))];
    const since = only(message([...base, ...aggregator, ...more]));
    assert.deepEqual(asPathNumbers(since.asPath), [65000, 23456, 3]);
    assert.equal(since.aggregator?.as, 9);
    const not = only(message([...base, ...trans, ...more]));
    assert.deepEqual(asPathNumbers(not.asPath), [65000, 70_000, 3]);
    assert.deepEqual(not.aggregator, { as: 70_000, address: ipv4("192.0.2.2") });
  });

  it("leaves nothing of AS4_AGGREGATOR without AGGREGATOR", () => {
    const alone = attribute(OPTIONAL_TRANSITIVE, 18, [0, 1, 17, 112, 192, 0, 2, 2]);
    assert.equal(only(message([...base, ...alone])).aggregator, undefined);
  });
});

describe("a path on its way through a two-octet world (RFC 6793 section 4.2)", () => {
  it("comes out with what was prepended there, and else as it went in, however long", () => {
    const as = fc.oneof(
      fc.integer({ min: 1, max: 65_535 }),
      fc.integer({ min: 65_536, max: 2 ** 32 - 1 }),
    );
    fc.assert(
      fc.property(
        fc.array(as, { minLength: 1, maxLength: 600, size: "max" }),
        fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 5 }),
        (before, prepended) => {
          const attributes: PathAttributes = {
            ...{ origin: "igp", nextHop: ipv4("192.0.2.7") },
            asPath: [{ kind: "sequence", asns: before }],
          };
          const block = encodeAttributes(attributes, { fourOctetAs: false });
          const { reach } = read(message(withPrepended([...block], prepended)));
          assert.deepEqual(asPathNumbers(reach[0]!.attributes.asPath), [...prepended, ...before]);
          const later = encodeAttributes(reach[0]!.attributes, { fourOctetAs: true });
          const again = read(message([...later]), true).reach[0]!.attributes;
          assert.deepEqual(asPathNumbers(again.asPath), [...prepended, ...before]);
        },
      ),
      { numRuns: 60 },
    );
  });

  /** As a speaker does it that knows nothing of AS4_PATH: a segment more in AS_PATH. */
  function withPrepended(block: number[], asns: readonly number[]): number[] {
    if (asns.length === 0) return block;
    const at = 4;
    assert.equal(block[at + 1], 2);
    const long = (block[at]! & 0x10) !== 0;
    const head = long ? 4 : 3;
    const length = long ? block[at + 2]! * 256 + block[at + 3]! : block[at + 2]!;
    const value = block.slice(at + head, at + head + length);
    const more = [2, asns.length, ...asns.flatMap((each) => [...uint16(each)]), ...value];
    const path = [WELL_KNOWN | 0x10, 2, ...uint16(more.length), ...more];
    return [...block.slice(0, at), ...path, ...block.slice(at + head + length)];
  }
});

describe("the order of attributes (RFC 4271 section 5)", () => {
  it("is that of their types, unknown ones among the others, however they came", () => {
    const values = new Map<number, Bytes>([
      [8, [0, 1, 0, 2]],
      [16, [0, 2, 0, 0, 0, 0, 0, 1]],
      [32, new Array(12).fill(1)],
      [35, [0, 0, 0, 9]],
      ...[0, 11, 20, 25, 33, 99, 200].map((type): [number, Bytes] => [type, [7]]),
    ]);
    const all = [...values].map(([type, value]) => attribute(OPTIONAL_TRANSITIVE, type, value));
    const path = asPath(65000, 23456);
    const as4 = attribute(OPTIONAL_TRANSITIVE, 17, [2, 1, 0, 1, 17, 112]);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([origin, path, nextHop, as4, ...all], { minLength: 15 }),
        (some) => {
          const { attributes } = read(message(some.flat())).reach[0]!;
          for (const fourOctetAs of [true, false]) {
            const block = encodeAttributes(attributes, { fourOctetAs });
            const types: number[] = [];
            for (let at = 0; at < block.length; at += 3 + block[at + 2]!)
              types.push(block[at + 1]!);
            assert.deepEqual(
              types,
              [...types].sort((a, b) => a - b),
            );
            assert.equal(types.length, fourOctetAs ? 14 : 15);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("the Partial bit (RFC 4271 section 5)", () => {
  const values: readonly (readonly [type: number, value: Bytes])[] = [
    [7, [0, 0, 0, 9, 192, 0, 2, 1]],
    [8, [0, 1, 0, 2]],
    [16, [0, 2, 0, 0, 0, 0, 0, 1]],
    [32, new Array(12).fill(1)],
    [35, [0, 0, 0, 9]],
    [99, [7]],
  ];
  const flagsOf = (block: Uint8Array, type: number): number => {
    for (let at = 0; at < block.length; at += 3 + block[at + 2]!) {
      if (block[at + 1] === type) return block[at]!;
    }
    return assert.fail(`attribute ${type} is not there`);
  };
  const passed = (type: number, flags: number, value: Bytes): number => {
    const bytes = message([
      ...origin,
      ...attribute(WELL_KNOWN, 2, [2, 1, 0, 0, 0xfd, 0xe8]),
      ...nextHop,
      ...attribute(flags, type, value),
    ]);
    const { reach } = read(bytes, true);
    return flagsOf(encodeAttributes(reach[0]!.attributes, { fourOctetAs: true }), type);
  };

  it("that somebody set stays set; we set it on what we do not know alone", () => {
    for (const [type, value] of values) {
      const set = OPTIONAL_TRANSITIVE | PARTIAL;
      assert.equal(passed(type, set, value), set, `attribute ${type}`);
      const fresh = type === 99 ? set : OPTIONAL_TRANSITIVE;
      assert.equal(passed(type, OPTIONAL_TRANSITIVE, value), fresh, `attribute ${type}`);
    }
  });
});
