/** Every message written is read back as it was. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPrefix, type IpAddress, ipv4, prefix } from "../../lib/index.ts";
import * as arbitrary from "./arbitraries.ts";
import { mergeAs4Path, segmentsBytes, writeSegments } from "./attributes/as-path.ts";
import type { AsSegment } from "./attributes/types.ts";
import { ByteWriter } from "./bytes.ts";
import {
  AttributeTable,
  asPathLength,
  asPathNumbers,
  decodeNotification,
  decodeOpen,
  decodeRouteRefresh,
  decodeUpdate,
  describeNotification,
  encodeAnnounce,
  encodeAttributes,
  encodeEndOfRib,
  encodeKeepalive,
  encodeLargeCommunities,
  encodeNotification,
  encodeOpen,
  encodeRouteRefresh,
  encodeShutdownCommunication,
  encodeWithdraw,
  extendedCommunities,
  Framer,
  hardReset,
  isHardReset,
  keyOfPrefix,
  largeCommunities,
  type Notification,
  notification,
  type PrefixKey,
  prefixOfKey,
  shutdownCommunicationText,
} from "./index.ts";

function context(fourOctetAs = true) {
  return { fourOctetAs, peerType: "ibgp" as const, table: new AttributeTable() };
}

describe("prefix keys", () => {
  for (const text of ["0.0.0.0/0", "10.0.0.0/26", "255.255.255.255/32", "::/0", "2001:db8::/64"]) {
    it(text, () => assert.equal(formatPrefix(prefixOfKey(keyOfPrefix(prefix(text)))), text));
  }

  it("ignore host bits", () => {
    assert.equal(keyOfPrefix(prefix("10.0.0.77/26")), keyOfPrefix(prefix("10.0.0.64/26")));
  });
});

describe("round trips", () => {
  it("OPEN", () => {
    fc.assert(
      fc.property(arbitrary.open, (open) => {
        assert.deepEqual(decodeOpen(encodeOpen(open)), open);
      }),
    );
  });

  it("OPEN with more parameters than 255 bytes (RFC 9072)", () => {
    const unknown = { kind: "unknown" as const, code: 200, data: new Uint8Array(200).fill(7) };
    const open = {
      kind: "open" as const,
      as: 65000,
      holdTimeSeconds: 90,
      routerId: 1 as never,
      capabilities: [unknown, unknown],
    };
    assert.deepEqual(decodeOpen(encodeOpen(open)), open);
  });

  it("NOTIFICATION", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.uint8Array(), (code, subcode, data) => {
        const message = { kind: "notification" as const, code, subcode, data };
        assert.deepEqual(decodeNotification(encodeNotification(message)), message);
        assert.notEqual(describeNotification(message), "");
      }),
    );
  });

  it("hard resets (RFC 8538) with their reason inside, nested ones without", () => {
    const words = encodeShutdownCommunication("night");
    const rows: [Notification, string][] = [
      [
        notification("administrativeShutdown", words),
        'Cease / Hard Reset: Cease / Administrative Shutdown: "night"',
      ],
      [notification("holdTimerExpired"), "Cease / Hard Reset: Hold Timer Expired"],
      [hardReset(notification("peerDeconfigured")), "Cease / Hard Reset"],
    ];
    for (const [inner, text] of rows) {
      const read = decodeNotification(encodeNotification(hardReset(inner)));
      assert.equal(isHardReset(read), true);
      assert.equal(describeNotification(read), text);
    }
    assert.equal(describeNotification(notification("hardReset")), "Cease / Hard Reset");
    assert.equal(isHardReset(notification("administrativeShutdown")), false);
  });

  it("shutdown communication (RFC 9003), cut between two characters when it is too long", () => {
    const said = (text: string) =>
      JSON.parse(shutdownCommunicationText(encodeShutdownCommunication(text)));
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        fc.pre(text !== "");
        const data = encodeShutdownCommunication(text);
        assert.equal(data[0], data.length - 1);
        const heard = said(text);
        assert.ok(text.startsWith(heard));
        assert.ok(heard === text || data.length > 252);
      }),
    );
    assert.equal(said("é".repeat(200)), "é".repeat(127));
    const rows: [data: number[], text: string][] = [
      [[], ""],
      [[0], ""],
      [[5, 97, 98], "a malformed shutdown communication, 05 61 62"],
      [[2, 97, 98, 99], '"ab"'],
      [[3, 97, 0xff, 10], '"a\ufffd\\n" (no valid UTF-8)'],
      // What a terminal may obey beyond ASCII: CSI in one character, DEL; and text turned around.
      [[7, 0x1b, 0x7f, 0xc2, 0x9b, 0xe2, 0x80, 0xae], '"\\u001b\\u007f\\u009b\\u202e"'],
    ];
    for (const [data, text] of rows) {
      assert.equal(shutdownCommunicationText(Uint8Array.from(data)), text);
    }
  });

  it("ROUTE-REFRESH", () => {
    for (const subtype of ["request", "begin", "end"] as const) {
      assert.deepEqual(decodeRouteRefresh(encodeRouteRefresh({ afi: 2, safi: 1, subtype })), {
        kind: "route-refresh",
        afi: 2,
        safi: 1,
        subtype,
      });
    }
  });

  /** In messages no longer than allowed, what comes out is what went in. */
  function announces(options: {
    readonly family: "ipv4-unicast" | "ipv6-unicast";
    readonly nextHop?: fc.Arbitrary<IpAddress>;
    readonly key: fc.Arbitrary<PrefixKey>;
    readonly count: number;
    readonly runs: number;
    readonly agreed?: { readonly extendedNextHop: boolean };
    readonly also?: (message: Uint8Array) => void;
  }): void {
    const { family, nextHop: via, key, count, runs, agreed, also } = options;
    const attributesArb = via
      ? fc.tuple(arbitrary.attributes, via).map(([base, nextHop]) => ({ ...base, nextHop }))
      : arbitrary.attributes;
    const keysArb = fc.uniqueArray(key, { minLength: 1, maxLength: count });
    fc.assert(
      fc.property(attributesArb, keysArb, (attributes, keys) => {
        const messages = encodeAnnounce({
          family,
          attributes: encodeAttributes(attributes, { fourOctetAs: true }),
          nextHop: attributes.nextHop,
          keys,
          maximumBytes: 4096,
        });
        const read: PrefixKey[] = [];
        const shared = { ...context(), ...agreed };
        for (const message of messages) {
          assert.ok(message.length <= 4096);
          const update = decodeUpdate(message, shared);
          assert.equal(update.treatedAsWithdraw, undefined);
          assert.deepEqual(update.reach[0]?.attributes, attributes);
          read.push(...update.reach[0]!.keys);
          also?.(message);
        }
        assert.deepEqual(read, keys);
      }),
      { numRuns: runs },
    );
  }

  it("UPDATE that announces IPv4", () => {
    announces({ family: "ipv4-unicast", key: arbitrary.key4, count: 2000, runs: 50 });
  });

  it("UPDATE that announces IPv6", () => {
    const nextHop = arbitrary.hostIpv6;
    announces({ family: "ipv6-unicast", nextHop, key: arbitrary.key6, count: 600, runs: 50 });
  });

  it("UPDATE that announces IPv4 with an IPv6 next hop (RFC 8950)", () => {
    announces({
      ...{ family: "ipv4-unicast", nextHop: arbitrary.hostIpv6, key: arbitrary.key4 },
      ...{ count: 1200, runs: 30, agreed: { extendedNextHop: true } },
      also: (message) =>
        assert.throws(() => decodeUpdate(message, context()), /next hop of 16 bytes/),
    });
  });

  it("UPDATE that withdraws, either family", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(arbitrary.key4, { minLength: 1, maxLength: 1500 }),
        fc.uniqueArray(arbitrary.key6, { minLength: 1, maxLength: 500 }),
        (four, six) => {
          for (const [family, keys] of [
            ["ipv4-unicast", four],
            ["ipv6-unicast", six],
          ] as const) {
            const messages = encodeWithdraw({ family, keys, maximumBytes: 4096 });
            assert.ok(messages.every((message) => message.length <= 4096));
            const read = messages.flatMap((message) => decodeUpdate(message, context()).withdrawn);
            assert.deepEqual(read, keys);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it("End-of-RIB", () => {
    for (const family of ["ipv4-unicast", "ipv6-unicast"] as const) {
      assert.equal(decodeUpdate(encodeEndOfRib(family), context()).endOfRib, family);
    }
  });

  it("attributes through a peer with 2-octet AS numbers (RFC 6793)", () => {
    fc.assert(
      fc.property(arbitrary.attributes, (attributes) => {
        const [message] = encodeAnnounce({
          family: "ipv4-unicast",
          attributes: encodeAttributes(attributes, { fourOctetAs: false }),
          nextHop: attributes.nextHop,
          keys: [keyOfPrefix(prefix("10.0.0.0/8"))],
          maximumBytes: 65535,
        });
        const read = decodeUpdate(message!, context(false)).reach[0]!.attributes;
        assert.deepEqual(asPathNumbers(read.asPath), asPathNumbers(attributes.asPath));
        assert.deepEqual(read.aggregator, attributes.aggregator);
      }),
    );
  });
});

describe("communities", () => {
  it("large ones are read back, each once (RFC 8092)", () => {
    const part = fc.nat(0xffffffff);
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part, part)), (list) => {
        const once = list.filter((each, at) => list.findIndex((b) => `${b}` === `${each}`) === at);
        assert.deepEqual(largeCommunities(encodeLargeCommunities([...list, ...list])), once);
      }),
    );
  });

  it("a peer's large one twice is one", () => {
    const one = encodeLargeCommunities([[1, 2, 3]]);
    const [message] = encodeAnnounce({
      family: "ipv4-unicast",
      attributes: encodeAttributes(
        {
          origin: "igp",
          asPath: [],
          nextHop: ipv4("192.0.2.1"),
          largeCommunities: Uint8Array.of(...one, ...one),
        },
        { fourOctetAs: true },
      ),
      nextHop: ipv4("192.0.2.1"),
      keys: [1],
      maximumBytes: 4096,
    });
    const { attributes } = decodeUpdate(message!, context()).reach[0]!;
    assert.deepEqual(largeCommunities(attributes.largeCommunities), [[1, 2, 3]]);
  });

  it("extended ones are numbers of 64 bits", () => {
    const bytes = Uint8Array.of(0, 2, 0xfd, 0xe8, 0, 0, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0);
    assert.deepEqual(extendedCommunities(bytes), [0x0002fde800000001n, 0xff00000000000000n]);
  });
});

describe("AS4_PATH", () => {
  const sequence = (...asns: number[]): AsSegment[] => [{ kind: "sequence", asns }];

  it("is put behind what 2-octet peers prepended", () => {
    const merged = mergeAs4Path(sequence(1, 2, 23456, 4), sequence(70000, 4));
    assert.deepEqual(asPathNumbers(merged), [1, 2, 70000, 4]);
  });

  it("longer than AS_PATH is ignored", () => {
    assert.deepEqual(mergeAs4Path(sequence(1), sequence(70000, 4)), sequence(1));
  });

  it("longer than a segment is cut in segments", () => {
    const asns = Array.from({ length: 300 }, (_, index) => index + 1);
    for (const asBytes of [2, 4] as const) {
      const writer = new ByteWriter();
      writeSegments(writer, [{ kind: "sequence", asns }], asBytes);
      assert.equal(writer.length, 300 * asBytes + 2 * 2);
      assert.equal(segmentsBytes([{ kind: "sequence", asns }], asBytes), writer.length);
      assert.deepEqual([...writer.view().subarray(0, 2)], [2, 255]);
      const second = 2 + 255 * asBytes;
      assert.deepEqual([...writer.view().subarray(second, second + 2)], [2, 45]);
    }
    assert.equal(asPathLength([{ kind: "sequence", asns }]), 300);
  });
});

describe("framer", () => {
  it("finds messages however the stream is cut", () => {
    const one = [encodeKeepalive(), encodeNotification(notification("administrativeShutdown"))];
    const stream = Uint8Array.from([...one, ...one, ...one].flatMap((bytes) => [...bytes]));
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const framer = new Framer();
        const lengths: number[] = [];
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), stream.length]) {
          framer.push(stream.subarray(from, to));
          from = to;
          for (let found = framer.next(); found; found = framer.next()) lengths.push(found.length);
        }
        assert.deepEqual(lengths, [19, 21, 19, 21, 19, 21]);
      }),
    );
  });
});
