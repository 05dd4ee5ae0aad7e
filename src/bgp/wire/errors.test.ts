/** What is wrong is answered as RFC 4271 section 6 and RFC 7606 say; no bytes crash or hang a decoder. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPrefix } from "../../lib/index.ts";
import { concatBytes, uint16, uint32 } from "./bytes.ts";
import { encodeMessage } from "./header.ts";
import {
  AttributeTable,
  decodeNotification,
  decodeOpen,
  decodeRouteRefresh,
  decodeUpdate,
  encodeOpen,
  Framer,
  messageType,
  ProtocolError,
  prefixOfKey,
} from "./index.ts";

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** Code, subcode and data in hex of the NOTIFICATION, or "none". */
function refusal(act: () => unknown): string {
  try {
    act();
    return "none";
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, subcode, data } = error.notification;
    const hex = [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return `${code}/${subcode}${hex === "" ? "" : ` ${hex}`}`;
  }
}

function header(length: number, type: number, marker = 0xff): Uint8Array {
  return bytes(...new Array(16).fill(marker), length >>> 8, length & 255, type);
}

describe("header", () => {
  const rows: [name: string, header: Uint8Array, expected: string][] = [
    ["marker", header(19, 4, 0xfe), "1/1"],
    ["length below 19", header(18, 4), "1/2 0012"],
    ["length above 4096", header(4097, 2), "1/2 1001"],
    ["type 0", header(19, 0), "1/3 00"],
    ["type 6", header(19, 6), "1/3 06"],
    ["short OPEN", header(28, 1), "1/2 001c"],
    ["short UPDATE", header(22, 2), "1/2 0016"],
    ["short NOTIFICATION", header(20, 3), "1/2 0014"],
    ["long KEEPALIVE", header(20, 4), "1/2 0014"],
    ["KEEPALIVE", header(19, 4), "none"],
  ];
  for (const [name, head, expected] of rows) {
    it(name, () => {
      const framer = new Framer();
      framer.push(head);
      assert.equal(
        refusal(() => framer.next()),
        expected,
      );
    });
  }

  it("length above 4096 once extended messages are agreed (RFC 8654), not for KEEPALIVE", () => {
    const framer = new Framer();
    framer.maximumBytes = 65535;
    framer.push(header(60000, 2));
    assert.equal(framer.next(), undefined);
    const other = new Framer();
    other.maximumBytes = 65535;
    other.push(header(60000, 1));
    assert.equal(
      refusal(() => other.next()),
      "1/2 ea60",
    );
  });
});

function openBody(
  parts: { version?: number; as?: number; hold?: number; id?: number },
  ...parameters: number[]
) {
  const { version = 4, as = 65000, hold = 90, id = 1 } = parts;
  return encodeMessage(
    messageType.open,
    concatBytes([bytes(version), uint16(as), uint16(hold), uint32(id), bytes(...parameters)]),
  );
}

/** The capability of AS 65000. */
const four = [2, 6, 65, 4, 0, 0, 0xfd, 0xe8];

describe("OPEN", () => {
  const rows: [name: string, message: Uint8Array, expected: string][] = [
    ["version 3", openBody({ version: 3 }, 0), "2/1 0004"],
    ["AS 0", openBody({ as: 0 }, 0), "2/2"],
    ["AS 0 in the field, another in the capability", openBody({ as: 0 }, 8, ...four), "2/2"],
    ["AS 0 in the capability", openBody({}, 8, 2, 6, 65, 4, 0, 0, 0, 0), "2/2"],
    ["identifier 0.0.0.0", openBody({ id: 0 }, 0), "2/3"],
    ["hold time 1", openBody({ hold: 1 }, 0), "2/6"],
    ["hold time 2", openBody({ hold: 2 }, 0), "2/6"],
    ["hold time 0", openBody({ hold: 0 }, 0), "none"],
    ["authentication parameter", openBody({}, 3, 1, 1, 0), "2/4"],
    ["parameters beyond the message", openBody({}, 9, 2, 2, 2, 0), "2/0"],
    ["bytes after the parameters", openBody({}, 0, 0), "2/0"],
    ["capability beyond its parameter", openBody({}, 4, 2, 2, 65, 4), "2/0"],
    ["4-octet AS of 2 bytes", openBody({}, 6, 2, 4, 65, 2, 0, 1), "2/0"],
    ["role of 2 bytes", openBody({}, 6, 2, 4, 9, 2, 0, 1), "2/0"],
    ["extended next hop of 5 bytes", openBody({}, 9, 2, 7, 5, 5, 0, 1, 0, 1, 0), "2/0"],
    ["role nobody assigned", openBody({}, 5, 2, 3, 9, 1, 77), "none"],
    ["unknown capability", openBody({}, 5, 2, 3, 200, 1, 9), "none"],
    ["extended parameters", openBody({}, 255, 255, 0, 9, 2, 0, 6, ...four.slice(2)), "none"],
    ["extended, its old length is ignored", openBody({}, 4, 255, 0, 4, 2, 0, 1, 9), "2/0"],
    ["extended, too long", openBody({}, 255, 255, 0, 9, 2, 0, 2, 200, 0), "2/0"],
    ["extended, too short", openBody({}, 255, 255, 0), "2/0"],
    ["extended, parameter too long", openBody({}, 255, 255, 0, 3, 2, 0, 9), "2/0"],
    ["extended, another parameter", openBody({}, 255, 255, 0, 3, 1, 0, 0), "2/4"],
    ["no parameters, type 255 behind", openBody({}, 0, 255, 0, 0), "2/0"],
  ];
  for (const [name, message, expected] of rows) {
    it(name, () =>
      assert.equal(
        refusal(() => decodeOpen(message)),
        expected,
      ),
    );
  }
});

it("OPEN in the extended form is known by the type alone (RFC 9072 section 2)", () => {
  for (const length of [255, 12, 1]) {
    const open = decodeOpen(openBody({ as: 23456 }, length, 255, 0, 9, 2, 0, 6, ...four.slice(2)));
    assert.equal(open.as, 65000, `old length ${length}`);
  }
});

it("OPEN with parameters of no more than 255 bytes has the old form (RFC 9072 section 2)", () => {
  for (const [bytes, extended] of [
    [249, false],
    [250, true],
  ] as const) {
    const data = new Uint8Array(bytes);
    const capability = { kind: "unknown" as const, code: 200, data };
    const open = { kind: "open" as const, as: 65000, holdTimeSeconds: 90, routerId: 1 as never };
    const message = encodeOpen({ ...open, capabilities: [capability, { kind: "route-refresh" }] });
    assert.equal(message[29] === 255, extended, `${message.length} bytes`);
    assert.deepEqual(decodeOpen(message).capabilities[0], capability);
  }
});

it("ROUTE-REFRESH of another length is answered with the message", () => {
  const message = encodeMessage(messageType.routeRefresh, bytes(0, 1, 0, 1, 9));
  assert.match(
    refusal(() => decodeRouteRefresh(message)),
    /^7\/1 f{32}001805000100010/,
  );
});

const origin = [0x40, 1, 1, 0];
const asPath = [0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe8];
const nextHop = [0x40, 3, 4, 192, 0, 2, 1];
const route = [24, 10, 1, 2];

function update(
  attributes: readonly number[],
  nlri: readonly number[] = route,
  withdrawn: readonly number[] = [],
) {
  const body = [
    ...uint16(withdrawn.length),
    ...withdrawn,
    ...uint16(attributes.length),
    ...attributes,
    ...nlri,
  ];
  return encodeMessage(messageType.update, Uint8Array.from(body));
}

/** What becomes of an UPDATE, in a line. */
function outcome(message: Uint8Array, peerType: "ibgp" | "ebgp" = "ibgp"): string {
  const refused = refusal(() => {
    decodeUpdate(message, { fourOctetAs: true, peerType, table: new AttributeTable() });
  });
  if (refused !== "none") return refused;
  const read = decodeUpdate(message, { fourOctetAs: true, peerType, table: new AttributeTable() });
  const names = (keys: readonly (number | bigint)[]) =>
    keys.map((key) => formatPrefix(prefixOfKey(key))).join(" ");
  const words: string[] = [];
  for (const { keys } of read.reach) words.push(`announce ${names(keys)}`);
  if (read.withdrawn.length > 0) words.push(`withdraw ${names(read.withdrawn)}`);
  if (read.discarded.length > 0) words.push("discard");
  return words.join(", ");
}

describe("UPDATE", () => {
  const good = [...origin, ...asPath, ...nextHop];
  const gone = "withdraw 10.1.2.0/24";
  const rows: [name: string, message: Uint8Array, expected: string, peerType?: "ebgp"][] = [
    ["in order", update(good), "announce 10.1.2.0/24"],
    ["host bits set", update(good, [24, 10, 1, 2, 9, 10, 64]), "announce 10.1.2.0/24 10.0.0.0/9"],
    ["withdrawn routes too long", encodeMessage(2, bytes(0, 9, 0, 0)), "3/1"],
    ["attributes too long", encodeMessage(2, bytes(0, 0, 0, 9)), "3/1"],
    ["prefix length 33", update(good, [33, 1, 2, 3, 4, 5]), "3/10"],
    ["prefix cut short", update(good, [24, 10]), "3/10"],
    ["withdrawn prefix cut short", update(good, route, [32, 10]), "3/10"],
    ["no attributes for a route", update([]), gone],
    ["ORIGIN missing", update([...asPath, ...nextHop]), gone],
    ["AS_PATH missing", update([...origin, ...nextHop]), gone],
    ["NEXT_HOP missing", update([...origin, ...asPath]), gone],
    ["ORIGIN 3", update([0x40, 1, 1, 3, ...asPath, ...nextHop]), gone],
    ["ORIGIN of 2 bytes", update([0x40, 1, 2, 0, 0, ...asPath, ...nextHop]), gone],
    ["ORIGIN flagged optional", update([0xc0, 1, 1, 0, ...asPath, ...nextHop]), gone],
    ["AS_PATH with AS 0", update([...origin, 0x40, 2, 6, 2, 1, 0, 0, 0, 0, ...nextHop]), gone],
    ["AS_PATH with an AS_SET", update([...origin, 0x40, 2, 6, 1, 1, 0, 0, 0, 9, ...nextHop]), gone],
    [
      "AS_PATH with a confederation",
      update([...origin, 0x40, 2, 6, 3, 1, 0, 0, 0, 9, ...nextHop]),
      gone,
    ],
    [
      "AS_PATH segment too long",
      update([...origin, 0x40, 2, 6, 2, 2, 0, 0, 0, 9, ...nextHop]),
      gone,
    ],
    ["AS_PATH segment empty", update([...origin, 0x40, 2, 2, 2, 0, ...nextHop]), gone],
    ["AS_PATH empty", update([...origin, 0x40, 2, 0, ...nextHop]), "announce 10.1.2.0/24"],
    ["NEXT_HOP of 5 bytes", update([...origin, ...asPath, 0x40, 3, 5, 1, 2, 3, 4, 5]), gone],
    ["NEXT_HOP multicast", update([...origin, ...asPath, 0x40, 3, 4, 224, 0, 0, 1]), gone],
    ["MED of 3 bytes", update([...good, 0x80, 4, 3, 0, 0, 1]), gone],
    ["LOCAL_PREF of 3 bytes", update([...good, 0x40, 5, 3, 0, 0, 1]), gone],
    [
      "LOCAL_PREF of 3 bytes, eBGP",
      update([...good, 0x40, 5, 3, 0, 0, 1]),
      "announce 10.1.2.0/24",
      "ebgp",
    ],
    [
      "ATOMIC_AGGREGATE of 1 byte",
      update([...good, 0x40, 6, 1, 0]),
      "announce 10.1.2.0/24, discard",
    ],
    [
      "AGGREGATOR of 6 bytes",
      update([...good, 0xc0, 7, 6, 0, 1, 1, 1, 1, 1]),
      "announce 10.1.2.0/24, discard",
    ],
    ["COMMUNITIES of 5 bytes", update([...good, 0xc0, 8, 5, 0, 0, 0, 0, 0]), gone],
    ["COMMUNITIES empty", update([...good, 0xc0, 8, 0]), gone],
    ["ORIGINATOR_ID of 3 bytes", update([...good, 0x80, 9, 3, 1, 1, 1]), gone],
    [
      "ORIGINATOR_ID of 3 bytes, eBGP",
      update([...good, 0x80, 9, 3, 1, 1, 1]),
      "announce 10.1.2.0/24",
      "ebgp",
    ],
    ["CLUSTER_LIST of 6 bytes", update([...good, 0x80, 10, 6, 1, 1, 1, 1, 1, 1]), gone],
    ["extended communities of 7 bytes", update([...good, 0xc0, 16, 7, 0, 0, 0, 0, 0, 0, 0]), gone],
    [
      "large communities of 11 bytes",
      update([...good, 0xc0, 32, 11, ...new Array(11).fill(0)]),
      gone,
    ],
    ["the same attribute twice", update([...good, 0x40, 1, 1, 3]), "announce 10.1.2.0/24"],
    ["unknown well-known attribute", update([...good, 0x40, 99, 0]), "3/2 406300"],
    ["unknown optional attribute", update([...good, 0xc0, 99, 1, 7]), "announce 10.1.2.0/24"],
    ["attribute beyond the block", update([...good, 0xc0, 99, 9, 7]), gone],
    ["attribute header cut short", update([...good, 0xc0, 99]), gone],
    ["an error without any route", update([0x40, 1, 1, 3], []), "3/1"],
    ["MP_REACH twice", update([...good, ...mpReach(), ...mpReach()], []), "3/1"],
    ["MP_REACH", update([...origin, ...asPath, ...mpReach()], []), "announce 2001:db8::/32"],
    [
      "MP_REACH with a bad next hop",
      update([...good, 0x80, 14, 9, 0, 2, 1, 4, 1, 2, 3, 4, 0], []),
      "3/9 800e09000201040102030400",
    ],
    ["MP_REACH of 3 bytes", update([...good, 0x80, 14, 3, 0, 2, 1], []), "3/9 800e03000201"],
    ["MP_REACH of another family", update([...good, 0x80, 14, 5, 0, 25, 70, 0, 0], []), ""],
    ["MP_UNREACH of 2 bytes", update([0x80, 15, 2, 0, 2], []), "3/9 800f020002"],
    [
      "MP_UNREACH",
      update([0x80, 15, 8, 0, 2, 1, 32, 0x20, 1, 0xd, 0xb8], []),
      "withdraw 2001:db8::/32",
    ],
    ["MP_UNREACH with prefix length 129", update([0x80, 15, 4, 0, 2, 1, 129], []), "3/10"],
  ];
  for (const [name, message, expected, peerType] of rows) {
    it(name, () => assert.equal(outcome(message, peerType), expected));
  }
});

it("a malformed UPDATE is told of each time, with the whole message (RFC 7606 section 8)", () => {
  const table = new AttributeTable();
  const context = { fourOctetAs: true, peerType: "ibgp" as const, table };
  const good = [...origin, ...asPath, ...nextHop];
  for (const bad of [
    [...good, 0x40, 6, 1, 0],
    [...good, 0x80, 4, 1, 0],
  ]) {
    const message = update(bad);
    for (let time = 0; time < 3; time++) {
      const read = decodeUpdate(message, context);
      assert.equal(read.discarded.length + (read.treatedAsWithdraw === undefined ? 0 : 1), 1);
      assert.deepEqual(read.malformed, message);
    }
  }
  assert.equal(decodeUpdate(update(good), context).malformed, undefined);
});

function mpReach(): number[] {
  const address = [0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1];
  const value = [0, 2, 1, 16, ...address, 0, 32, 0x20, 1, 0xd, 0xb8];
  return [0x80, 14, value.length, ...value];
}

describe("any bytes", () => {
  /** A decoder may only return or throw a ProtocolError. */
  function survives(decode: (message: Uint8Array) => unknown, type: number, minimumBytes: number) {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: minimumBytes, maxLength: 400 }), (body) => {
        refusal(() => decode(encodeMessage(type, body)));
      }),
      { numRuns: 3000 },
    );
  }

  const context = { fourOctetAs: false, peerType: "ebgp" as const, table: new AttributeTable() };

  it("as OPEN", () => survives(decodeOpen, messageType.open, 10));
  it("as UPDATE", () => survives((bytes) => decodeUpdate(bytes, context), messageType.update, 4));
  it("as UPDATE with path identifiers", () => {
    const paths = { ...context, addPathReceive: ["ipv4-unicast", "ipv6-unicast"] as const };
    survives((bytes) => decodeUpdate(bytes, paths), messageType.update, 4);
  });
  it("as NOTIFICATION", () => survives(decodeNotification, messageType.notification, 2));
  it("as ROUTE-REFRESH", () => survives(decodeRouteRefresh, messageType.routeRefresh, 4));

  it("as a stream", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 })), (chunks) => {
        refusal(() => {
          const framer = new Framer();
          for (const chunk of chunks) {
            framer.push(chunk);
            while (framer.next());
          }
        });
      }),
    );
  });

  it("as a good UPDATE with one byte changed; what follows the message is not read", () => {
    const good = update([...origin, ...asPath, ...nextHop, 0xc0, 8, 4, 0, 1, 0, 2, ...mpReach()]);
    fc.assert(
      fc.property(fc.integer({ min: 19, max: good.length - 1 }), fc.nat(255), (at, value) => {
        const changed = good.slice();
        changed[at] = value;
        const alone = outcome(changed);
        const inside = new Uint8Array(changed.length + 64).fill(24);
        inside.set(changed);
        assert.equal(outcome(inside.subarray(0, changed.length)), alone);
      }),
      { numRuns: 3000 },
    );
  });
});
