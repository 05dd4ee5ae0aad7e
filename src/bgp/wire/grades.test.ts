/**
 * RFC 7606, attribute by attribute: each is given every fault there is (wrong flags, too short, too long,
 * empty, cut short, twice, from a peer that must not send it), and the consequence is read from a table.
 * Grades: `ok`, `withdraw` (treat-as-withdraw), `discard` (attribute discard), `ignore` (as if it were not
 * there), or the NOTIFICATION that ends the session.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress } from "../../lib/index.ts";
import { concatBytes, uint16 } from "./bytes.ts";
import { encodeMessage } from "./header.ts";
import { AttributeTable, decodeUpdate, ProtocolError, type Update } from "./index.ts";

type Bytes = readonly number[];
interface Peer {
  readonly peerType: "ibgp" | "ebgp";
  readonly fourOctetAs: boolean;
}

const internal: Peer = { peerType: "ibgp", fourOctetAs: true };
const external: Peer = { peerType: "ebgp", fourOctetAs: true };
const short: Peer = { peerType: "ibgp", fourOctetAs: false };

interface Row {
  readonly name: string;
  readonly type: number;
  /** Flags it must have, and a good value. */
  readonly flags: number;
  readonly good: Bytes;
  /** What any fault in its value or flags costs. */
  readonly fault: "withdraw" | "discard";
  /** More bad values. */
  readonly bad?: readonly Bytes[];
  /** An empty value is a good one. */
  readonly mayBeEmpty?: true;
  /** From whom it is not taken at all. */
  readonly ignoredFrom?: Peer;
  /** To whom the rows apply; internal peers unless told. */
  readonly peer?: Peer;
}

const WELL_KNOWN = 0x40;
const OPTIONAL = 0x80;
const OPTIONAL_TRANSITIVE = 0xc0;
const ones = (count: number): number[] => new Array(count).fill(1);

const rows: readonly Row[] = [
  {
    name: "ORIGIN (7.1)",
    type: 1,
    flags: WELL_KNOWN,
    good: [0],
    fault: "withdraw",
    bad: [[3], [255]],
  },
  {
    name: "AS_PATH (7.2)",
    type: 2,
    flags: WELL_KNOWN,
    good: [2, 1, 0, 0, 0xfd, 0xe8],
    fault: "withdraw",
    mayBeEmpty: true,
    bad: [
      [2, 0], // no AS in a segment
      [2, 2, 0, 0, 0, 1], // a segment that runs past the attribute
      [2, 1, 0, 0, 0, 0], // AS 0 (RFC 7607)
      [1, 1, 0, 0, 0, 1], // AS_SET (RFC 9774)
      [3, 1, 0, 0, 0, 1], // AS_CONFED_SEQUENCE (RFC 5065)
      [4, 1, 0, 0, 0, 1], // AS_CONFED_SET
      [9, 1, 0, 0, 0, 1], // a type nobody knows
    ],
  },
  {
    name: "AS_PATH of two octets",
    type: 2,
    flags: WELL_KNOWN,
    good: [2, 1, 0xfd, 0xe8],
    fault: "withdraw",
    mayBeEmpty: true,
    bad: [[2, 2, 0, 1]],
    peer: short,
  },
  {
    name: "NEXT_HOP (7.3)",
    type: 3,
    flags: WELL_KNOWN,
    good: [192, 0, 2, 1],
    fault: "withdraw",
    bad: [
      [0, 0, 0, 0],
      [0, 1, 2, 3],
      [224, 0, 0, 1],
      [255, 255, 255, 255],
    ],
  },
  { name: "MULTI_EXIT_DISC (7.4)", type: 4, flags: OPTIONAL, good: ones(4), fault: "withdraw" },
  {
    name: "LOCAL_PREF (7.5)",
    type: 5,
    flags: WELL_KNOWN,
    good: ones(4),
    fault: "withdraw",
    ignoredFrom: external,
  },
  {
    name: "ATOMIC_AGGREGATE (7.6)",
    type: 6,
    flags: WELL_KNOWN,
    good: [],
    fault: "discard",
    mayBeEmpty: true,
  },
  {
    name: "AGGREGATOR (7.7)",
    type: 7,
    flags: OPTIONAL_TRANSITIVE,
    good: ones(8),
    fault: "discard",
    bad: [ones(6), [0, 0, 0, 0, 192, 0, 2, 1]], // AS 0 (RFC 7607)
  },
  {
    name: "AGGREGATOR of two octets",
    type: 7,
    flags: OPTIONAL_TRANSITIVE,
    good: ones(6),
    fault: "discard",
    bad: [ones(8), [0, 0, 192, 0, 2, 1]],
    peer: short,
  },
  {
    name: "COMMUNITIES (7.8)",
    type: 8,
    flags: OPTIONAL_TRANSITIVE,
    good: ones(8),
    fault: "withdraw",
    bad: [ones(6)],
  },
  {
    name: "ORIGINATOR_ID (7.9)",
    type: 9,
    flags: OPTIONAL,
    good: ones(4),
    fault: "withdraw",
    ignoredFrom: external,
  },
  {
    name: "CLUSTER_LIST (7.10)",
    type: 10,
    flags: OPTIONAL,
    good: ones(8),
    fault: "withdraw",
    bad: [ones(6)],
    ignoredFrom: external,
  },
  {
    name: "extended communities (7.14)",
    type: 16,
    flags: OPTIONAL_TRANSITIVE,
    good: ones(16),
    fault: "withdraw",
    bad: [ones(12)],
  },
  {
    name: "AS4_PATH (RFC 6793 section 6)",
    type: 17,
    flags: OPTIONAL_TRANSITIVE,
    good: [2, 1, 0, 1, 0, 0],
    fault: "discard",
    bad: [
      [2, 0],
      [2, 2, 0, 1, 0, 0],
      [7, 1, 0, 1, 0, 0],
      [2, 1, 0, 0, 0, 0], // AS 0 (RFC 7607)
    ],
    peer: short,
    ignoredFrom: internal,
  },
  {
    name: "AS4_AGGREGATOR (RFC 6793 section 6)",
    type: 18,
    flags: OPTIONAL_TRANSITIVE,
    good: ones(8),
    fault: "discard",
    bad: [ones(6), [0, 0, 0, 0, 192, 0, 2, 1]],
    peer: short,
    ignoredFrom: internal,
  },
  {
    name: "large communities (RFC 8092 section 6)",
    type: 32,
    flags: OPTIONAL_TRANSITIVE,
    good: ones(24),
    fault: "withdraw",
    bad: [ones(18)],
  },
  {
    name: "ONLY_TO_CUSTOMER (RFC 9234 section 5)",
    type: 35,
    flags: OPTIONAL_TRANSITIVE,
    good: ones(4),
    fault: "withdraw",
  },
];

function attribute(flags: number, type: number, value: Bytes): number[] {
  return value.length > 255
    ? [flags | 0x10, type, value.length >>> 8, value.length & 255, ...value]
    : [flags, type, value.length, ...value];
}

/** What a route needs, without the attribute of this type. */
function mandatory(except: number, { fourOctetAs }: Peer): number[] {
  const path = fourOctetAs ? [2, 1, 0, 0, 0xfd, 0xe8] : [2, 1, 0xfd, 0xe8];
  const all = new Map<number, number[]>([
    [1, attribute(WELL_KNOWN, 1, [0])],
    [2, attribute(WELL_KNOWN, 2, path)],
    [3, attribute(WELL_KNOWN, 3, [192, 0, 2, 7])],
  ]);
  all.delete(except);
  return [...all.values()].flat();
}

const nlri = [24, 10, 1, 2];

function message(attributes: Bytes, announced: Bytes = nlri): Uint8Array {
  const bytes = Uint8Array.from(attributes);
  return encodeMessage(
    2,
    concatBytes([uint16(0), uint16(bytes.length), bytes, Uint8Array.from(announced)]),
  );
}

function read(bytes: Uint8Array, peer: Peer): Update {
  return decodeUpdate(bytes, { ...peer, table: new AttributeTable() });
}

function grade(bytes: Uint8Array, peer: Peer): string {
  let update: Update;
  try {
    update = read(bytes, peer);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return `${error.notification.code}/${error.notification.subcode}`;
  }
  if (update.treatedAsWithdraw !== undefined) {
    assert.deepEqual([update.reach.length, update.withdrawn.length], [0, 1]);
    return "withdraw";
  }
  assert.deepEqual([update.reach.length, update.withdrawn.length], [1, 0]);
  return update.discarded.length > 0 ? "discard" : "ok";
}

/** Says the same as an UPDATE in which the attribute is not there. */
function sameAsWithout(row: Row, bytes: Uint8Array, peer: Peer): boolean {
  const without = read(message(mandatory(row.type, peer)), peer);
  const { attributes } = read(bytes, peer).reach[0]!;
  return JSON.stringify(attributes) === JSON.stringify(without.reach[0]!.attributes);
}

for (const row of rows) {
  const { type, flags, good, fault, bad = [], peer = internal } = row;
  const withValue = (value: Bytes, itsFlags = flags) =>
    message([...mandatory(type, peer), ...attribute(itsFlags, type, value)]);
  describe(row.name, () => {
    it("good, also with the extended length and the partial bit where it may have it", () => {
      assert.equal(grade(withValue(good), peer), "ok");
      const extended = [flags | 0x10, type, 0, good.length, ...good];
      assert.equal(grade(message([...mandatory(type, peer), ...extended]), peer), "ok");
      if (flags === OPTIONAL_TRANSITIVE) assert.equal(grade(withValue(good, 0xe0), peer), "ok");
    });

    it("every other combination of the optional and transitive bits", () => {
      for (const other of [0, WELL_KNOWN, OPTIONAL, OPTIONAL_TRANSITIVE]) {
        if (other === flags) continue;
        // Section 3 c: whatever the attribute.
        assert.equal(grade(withValue(good, other), peer), "withdraw", `flags ${other}`);
      }
    });

    it("one byte too long", () => assert.equal(grade(withValue([...good, 1]), peer), fault));

    it("one byte too short", () => {
      if (good.length === 0) return;
      assert.equal(grade(withValue(good.slice(1)), peer), fault);
    });

    it("empty", () => {
      assert.equal(grade(withValue([]), peer), row.mayBeEmpty ? "ok" : fault);
    });

    if (bad.length > 0) {
      it("bad values", () => {
        for (const value of bad) assert.equal(grade(withValue(value), peer), fault, `${value}`);
      });
    }

    it("longer than what is left of the attributes (section 4)", () => {
      const cut = [flags, type, good.length + 9, ...good];
      assert.equal(grade(message([...mandatory(type, peer), ...cut]), peer), "withdraw");
    });

    it("twice: the first counts (section 3 g)", () => {
      const worse = bad[0] ?? [...good, 1];
      const twice = message([
        ...mandatory(type, peer),
        ...attribute(flags, type, good),
        ...attribute(flags, type, worse),
      ]);
      assert.equal(grade(twice, peer), "ok");
    });

    it("without any route a fault that costs routes ends the session (section 5.2)", () => {
      const value = bad[0] ?? [...good, 1];
      const alone = message([...mandatory(type, peer), ...attribute(flags, type, value)], []);
      const expected = fault === "withdraw" ? "3/1" : "nothing";
      const actual = fault === "withdraw" ? grade(alone, peer) : quiet(alone, peer);
      assert.equal(actual, expected);
    });

    const { ignoredFrom } = row;
    if (ignoredFrom) {
      it("from a peer that must not send it: good or bad, it is not there", () => {
        for (const value of [good, ...bad, [...good, 1]]) {
          const bytes = message([
            ...mandatory(type, ignoredFrom),
            ...attribute(flags, type, value),
          ]);
          assert.equal(grade(bytes, ignoredFrom), "ok");
          assert.ok(sameAsWithout(row, bytes, ignoredFrom));
        }
      });
    }

    if (fault === "discard") {
      it("discarded, the rest stays as it is", () => {
        assert.ok(sameAsWithout(row, withValue([...good, 1, 1, 1]), peer));
      });
    }
  });
}

function quiet(bytes: Uint8Array, peer: Peer): string {
  const { withdrawn, reach } = read(bytes, peer);
  return withdrawn.length === 0 && reach.length === 0 ? "nothing" : "something";
}

describe("mandatory attributes (section 3 d)", () => {
  for (const [type, name] of [
    [1, "ORIGIN"],
    [2, "AS_PATH"],
    [3, "NEXT_HOP"],
  ] as const) {
    it(`${name} is missing`, () => {
      assert.equal(grade(message(mandatory(type, internal)), internal), "withdraw");
    });
  }

  it("LOCAL_PREF is missing from an internal peer: taken as the default", () => {
    assert.equal(grade(message(mandatory(0, internal)), internal), "ok");
  });
});

describe("MP_REACH_NLRI and MP_UNREACH_NLRI (7.11, 7.12)", () => {
  const global = [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1];
  const linkLocal = [0xfe, 0x80, ...new Array(13).fill(0), 1];
  const none = new Array(16).fill(0);
  const prefix6 = [32, 0x20, 1, 0xd, 0xb8];
  const reach = (nextHop: Bytes, routes: Bytes = prefix6) => [
    ...[0, 2, 1, nextHop.length],
    ...nextHop,
    0,
    ...routes,
  ];
  const of = (value: Bytes, flags = OPTIONAL, type = 14) =>
    message([...attribute(flags, type, value), ...mandatory(3, internal)], []);
  const cases: [name: string, bytes: Uint8Array, expected: string][] = [
    ["good", of(reach(global)), "ok"],
    ["with a link-local next hop behind (RFC 2545)", of(reach([...global, ...linkLocal])), "ok"],
    [
      "with a link-local next hop alone, behind :: (RFC 2545)",
      of(reach([...none, ...linkLocal])),
      "ok",
    ],
    ["with :: twice", of(reach([...none, ...none])), "withdraw"],
    ["flagged transitive", of(reach(global), OPTIONAL_TRANSITIVE), "withdraw"],
    ["flagged well-known", of(reach(global), WELL_KNOWN), "withdraw"],
    ["next hop ::", of(reach(none)), "withdraw"],
    ["next hop ff02::1", of(reach([0xff, 2, ...new Array(13).fill(0), 1])), "withdraw"],
    ["next hop of 4 bytes", of(reach([192, 0, 2, 1])), "3/9"],
    ["next hop of 24 bytes", of(reach([...global, ...ones(8)])), "3/9"],
    ["next hop cut short", of([0, 2, 1, 16, 1, 2]), "3/9"],
    ["of 4 bytes", of([0, 2, 1, 16]), "3/9"],
    ["prefix length 129", of(reach(global, [129, ...ones(17)])), "3/10"],
    ["prefix cut short", of(reach(global, [64, 1])), "3/10"],
    ["MP_UNREACH of 2 bytes", of([0, 2], OPTIONAL, 15), "3/9"],
    ["MP_UNREACH with a prefix cut short", of([0, 2, 1, 64, 1], OPTIONAL, 15), "3/10"],
  ];
  for (const [name, bytes, expected] of cases) {
    it(name, () => assert.equal(grade(bytes, internal), expected));
  }

  it("the global next hop counts, the link-local one where there is no other (RFC 2545)", () => {
    const nextHop = (value: Bytes) => read(of(value), internal).reach[0]!.attributes.nextHop;
    assert.equal(formatAddress(nextHop(reach(linkLocal))), "fe80::1");
    assert.equal(formatAddress(nextHop(reach([...none, ...linkLocal]))), "fe80::1");
    assert.equal(formatAddress(nextHop(reach([...linkLocal, ...linkLocal]))), "fe80::1");
    assert.equal(formatAddress(nextHop(reach([...global, ...linkLocal]))), "2001:db8::1");
  });

  it("either twice ends the session (section 3 g)", () => {
    for (const [type, value] of [
      [14, reach(global)],
      [15, [0, 2, 1, ...prefix6]],
    ] as const) {
      const twice = [...attribute(OPTIONAL, type, value), ...attribute(OPTIONAL, type, value)];
      assert.equal(grade(message([...twice, ...mandatory(0, internal)]), internal), "3/1");
    }
  });

  it("of a family that is not carried: nothing happens, whatever else is wrong", () => {
    const other = attribute(OPTIONAL, 14, [0, 25, 70, 0, 0, 1, 2, 3]);
    assert.equal(
      quiet(message([...other, ...attribute(WELL_KNOWN, 1, [9])], []), internal),
      "nothing",
    );
  });
});

describe("attributes nobody knows", () => {
  const of = (flags: number) => message([...mandatory(0, internal), ...attribute(flags, 99, [7])]);

  it("well-known ones end the session (RFC 4271 section 6.3)", () => {
    assert.equal(grade(of(WELL_KNOWN), internal), "3/2");
    assert.equal(grade(of(0), internal), "3/2");
  });

  it("well-known ones end it whatever else is wrong: the strongest grade counts (section 3 h)", () => {
    const strange = attribute(WELL_KNOWN, 99, [7]);
    const overrun = [OPTIONAL_TRANSITIVE, 8, 200, 1];
    const otherFamily = attribute(OPTIONAL, 14, [0, 25, 70, 0, 0]);
    for (const more of [overrun, otherFamily, attribute(WELL_KNOWN, 1, [9])]) {
      const bytes = message([...strange, ...more, ...mandatory(1, internal)]);
      assert.equal(grade(bytes, internal), "3/2", `${more}`);
    }
    assert.equal(grade(message([...strange, ...otherFamily], []), internal), "3/2");
  });

  it("optional ones pass on when transitive, and are dropped when not", () => {
    const { attributes } = read(of(OPTIONAL_TRANSITIVE), internal).reach[0]!;
    assert.deepEqual(attributes.unknown, [{ type: 99, value: Uint8Array.of(7) }]);
    assert.equal(read(of(OPTIONAL), internal).reach[0]!.attributes.unknown, undefined);
  });
});
