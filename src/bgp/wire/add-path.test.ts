/** NLRI with path identifiers (RFC 7911 section 3), and what is wrong with some. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPrefix, ipv4 } from "../../lib/index.ts";
import type { AddressFamily } from "../types.ts";
import * as arbitrary from "./arbitraries.ts";
import {
  AttributeTable,
  decodeCapabilities,
  decodeUpdate,
  encodeAnnounce,
  encodeAttributes,
  encodeWithdraw,
  ProtocolError,
  prefixOfKey,
} from "./index.ts";

const families: readonly AddressFamily[] = ["ipv4-unicast", "ipv6-unicast"];

function context(addPathReceive: readonly AddressFamily[] = families) {
  const table = new AttributeTable();
  return { fourOctetAs: true, peerType: "ibgp" as const, table, addPathReceive };
}

const id = fc.nat(0xffffffff);

describe("UPDATE with path identifiers", () => {
  for (const family of families) {
    it(`is read back as it was written, in messages no longer than allowed: ${family}`, () => {
      const key = family === "ipv4-unicast" ? arbitrary.key4 : arbitrary.key6;
      const nextHop = family === "ipv4-unicast" ? arbitrary.hostIpv4 : arbitrary.hostIpv6;
      const routes = fc.array(fc.tuple(key, id), { minLength: 1, maxLength: 1000 });
      fc.assert(
        fc.property(arbitrary.attributes, nextHop, routes, (base, hop, list) => {
          const attributes = { ...base, nextHop: hop };
          const nlri = { keys: list.map(([each]) => each), ids: list.map(([, each]) => each) };
          const announced = encodeAnnounce({
            ...{ family, nextHop: hop, maximumBytes: 4096, ...nlri },
            attributes: encodeAttributes(attributes, { fourOctetAs: true }),
          });
          const reach = announced.flatMap((message) => decodeUpdate(message, context()).reach);
          assert.deepEqual(
            { keys: reach.flatMap(({ keys }) => keys), ids: reach.flatMap(({ ids }) => ids) },
            nlri,
          );
          assert.deepEqual(reach[0]?.attributes, attributes);
          const gone = encodeWithdraw({ family, maximumBytes: 4096, ...nlri });
          const read = gone.map((message) => decodeUpdate(message, context()));
          assert.deepEqual(
            {
              keys: read.flatMap(({ withdrawn }) => withdrawn),
              ids: read.flatMap(({ withdrawnIds }) => withdrawnIds),
            },
            nlri,
          );
          for (const message of [...announced, ...gone]) assert.ok(message.length <= 4096);
        }),
        { numRuns: 40 },
      );
    });
  }
});

/** An UPDATE of its three fields. */
function update(withdrawn: number[], attributes: number[], nlri: number[]): Uint8Array {
  const fields = [
    ...[withdrawn.length >> 8, withdrawn.length & 255, ...withdrawn],
    ...[attributes.length >> 8, attributes.length & 255, ...attributes, ...nlri],
  ];
  const length = 19 + fields.length;
  return Uint8Array.from([...new Array(16).fill(255), length >> 8, length & 255, 2, ...fields]);
}

const good = [
  ...encodeAttributes(
    { origin: "igp", asPath: [], nextHop: ipv4("10.0.0.2") },
    { fourOctetAs: true },
  ),
];
const P1 = [16, 10, 1];
const unreach6 = (...ids: number[]) => [
  0x80,
  15,
  8 + ids.length,
  0,
  2,
  1,
  ...ids,
  32,
  0x20,
  1,
  0xd,
  0xb8,
];

function outcome(message: Uint8Array, addPathReceive?: readonly AddressFamily[]): string {
  try {
    const read = decodeUpdate(message, context(addPathReceive));
    const words = (keys: readonly (number | bigint)[], ids: readonly number[] | undefined) =>
      keys.map((key, at) => `${formatPrefix(prefixOfKey(key))}#${ids?.[at] ?? "-"}`);
    const reach = read.reach.flatMap(({ keys, ids }) => words(keys, ids).map((each) => `+${each}`));
    const gone = words(read.withdrawn, read.withdrawnIds).map((each) => `-${each}`);
    return [...gone, ...reach, read.endOfRib ?? ""].filter((each) => each !== "").join(" ");
  } catch (error) {
    assert.ok(error instanceof ProtocolError);
    return `${error.notification.code}/${error.notification.subcode}`;
  }
}

describe("UPDATE of a session with path identifiers", () => {
  const only4: readonly AddressFamily[] = ["ipv4-unicast"];
  const badOrigin = good.with(3, 9);
  const rows: [
    name: string,
    message: Uint8Array,
    told: string,
    families?: readonly AddressFamily[],
  ][] = [
    [
      "one prefix by two",
      update([], good, [0, 0, 0, 1, ...P1, 0, 0, 0, 2, ...P1]),
      "+10.1.0.0/16#1 +10.1.0.0/16#2",
    ],
    ["identifier 0", update([0, 0, 0, 0, ...P1], [], []), "-10.1.0.0/16#0"],
    ["the default route", update([], good, [255, 0, 0, 1, 0]), "+0.0.0.0/0#4278190081"],
    ["End-of-RIB", update([], [], []), "ipv4-unicast"],
    ["identifier cut short", update([], good, [0, 0, 0]), "3/10"],
    ["identifier without a prefix", update([], good, [0, 0, 0, 1]), "3/10"],
    ["prefix cut short", update([], good, [0, 0, 0, 1, 16, 10]), "3/10"],
    ["prefix length 33", update([0, 0, 0, 1, 33, 1, 2, 3, 4, 5], [], []), "3/10"],
    [
      "treated as withdrawn (RFC 7606), each by its own",
      update([0, 0, 0, 9, ...P1], badOrigin, [0, 0, 0, 1, ...P1, 0, 0, 0, 2, ...P1]),
      "-10.1.0.0/16#9 -10.1.0.0/16#1 -10.1.0.0/16#2",
    ],
    ["IPv6", update([], unreach6(0, 0, 0, 5), []), "-2001:db8::/32#5"],
    ["IPv6 cut short", update([], unreach6(0, 0), []), "3/10"],
    [
      "one family with, one without",
      update([0, 0, 0, 7, ...P1], unreach6(), []),
      "-10.1.0.0/16#7 -2001:db8::/32#0",
      only4,
    ],
    ["the other family alone", update([], unreach6(), []), "-2001:db8::/32#-", only4],
  ];
  for (const [name, message, told, having] of rows) {
    it(name, () => assert.equal(outcome(message, having), told));
  }
});

describe("the capability", () => {
  const rows: [name: string, value: number[], read: unknown][] = [
    [
      "of one family",
      [69, 4, 0, 1, 1, 3],
      { kind: "add-path", entries: [{ afi: 1, safi: 1, mode: "both" }] },
    ],
    [
      "with a mode nobody knows is ignored",
      [69, 4, 0, 1, 1, 4],
      { kind: "unknown", code: 69, data: Uint8Array.of(0, 1, 1, 4) },
    ],
    [
      "with mode 0 is ignored",
      [69, 4, 0, 1, 1, 0],
      { kind: "unknown", code: 69, data: Uint8Array.of(0, 1, 1, 0) },
    ],
  ];
  for (const [name, bytes, read] of rows) {
    it(name, () => assert.deepEqual(decodeCapabilities(Uint8Array.from(bytes)), [read]));
  }

  it("of another length is refused", () => {
    assert.throws(() => decodeCapabilities(Uint8Array.of(69, 3, 0, 1, 1)), ProtocolError);
  });
});
