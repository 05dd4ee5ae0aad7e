/** Decoders against real messages, and against what no kernel sends. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, formatPrefix, hasCode } from "../lib/index.ts";
import { decodeAddress } from "./address.ts";
import { decodeEvent } from "./event.ts";
import { decodeFdbEntry } from "./fdb.ts";
import { formatRoute } from "./format-route.ts";
import { decodeDumpResult, decodeKernelAnswer } from "./kernel-error.ts";
import { decodeLink, decodeStatistics } from "./link.ts";
import { forEachMessage, type Message } from "./message.ts";
import { decodeNeighbour } from "./neighbour.ts";
import { decodeNextHops } from "./next-hop.ts";
import { decodeRoute } from "./route.ts";
import { decodeRule, formatRule } from "./rule.ts";
import { captures, messageOf } from "./test-messages.ts";
import type { NetlinkEvent } from "./types.ts";

const corpus = captures();

function eventText(event: NetlinkEvent | undefined): string {
  switch (event?.kind) {
    case "link": {
      const { index, name, kind = "-", mac, mtu, up } = event.link;
      return `link ${index} ${name} ${kind} ${mac} ${mtu} ${up ? "up" : "down"}`;
    }
    case "address":
      return `address ${event.address.index} ${formatPrefix(event.address.prefix)} ${event.address.scope}`;
    case "route":
      return `route ${formatRoute(event.route)}`;
    case "neighbour": {
      const { address, mac, state } = event.neighbour;
      return `neighbour ${formatAddress(address)} ${mac} ${state}`;
    }
    case "fdb": {
      const { mac, destination, state, flags } = event.entry;
      const remote = destination === undefined ? "-" : formatAddress(destination);
      return `fdb ${mac} ${remote} ${state} ${flags?.join(",")}`;
    }
    case "rule":
      return `rule ${formatRule(event.rule)}`;
    default:
      return String(event?.kind);
  }
}

test("captured messages read as what they were", () => {
  const text = corpus
    .filter(({ type }) => type >= 16)
    .map(({ type, flags, payload }) => eventText(decodeEvent(messageOf(type, payload, flags))));
  const expected: readonly string[] = [
    "link 2 v1 veth 8a:9a:a3:a7:ef:1a 1500 down",
    "link 3 v0 veth 02:00:00:00:00:01 1500 up",
    "route multicast ff00::/8 dev if2 table local proto kernel metric 256 pref medium",
    "fdb 96:10:76:37:ca:7b - permanent ",
    "link 4 br0 bridge 96:10:76:37:ca:7b 1500 up",
    "link 5 tunl0 ifb 9e:6e:03:20:05:9e 1500 up",
    "address 5 fe80::9c6e:3ff:fe20:59e/64 link",
    "link 6 vxlan.calico vxlan 3e:6d:3f:46:97:e9 1450 down",
    "address 3 10.0.0.1/24 global",
    "route local 10.0.0.1 dev if3 table local proto kernel scope host src 10.0.0.1",
    "route 10.1.0.0/26 via 10.0.0.2 dev if3 proto bird onlink mtu 1300",
    "route blackhole 10.2.0.0/26 proto bird",
    "route fd02::/64 via fd00::2 dev if3 proto bird metric 7 pref medium",
    "route 10.9.0.0/16 dev if3 table 70000 proto bird scope link",
    "route 10.10.0.0/16 proto static\n\tnexthop via 10.0.0.3 dev if3 weight 1\n\tnexthop via 10.0.0.4 dev if3 weight 2",
    "route 10.11.0.0/16 via inet6 fd00::2 dev if3 proto bird",
    "neighbour 10.1.0.0 66:00:00:00:00:01 permanent",
    "neighbour fd00::9 66:00:00:00:00:02 permanent",
    "fdb 66:00:00:00:00:01 10.0.0.2 permanent self",
    "rule priority 100 from 10.0.0.0/8 fwmark 0x10/0xff iif v0 lookup 1000",
    "rule priority 100 from all to fd00::/8 lookup 1000",
    "address 3 fd00::1/64 global",
  ];
  assert.ok(expected.length > 20);
  assert.deepEqual(text, expected);
});

test("captured refusals read as what they were", () => {
  const answers = corpus
    .filter(({ type }) => type === 2)
    .map(({ type, flags, payload }) => decodeKernelAnswer(messageOf(type, payload, flags)));
  assert.deepEqual(answers, [
    { errno: 101, message: "Nexthop has invalid gateway" },
    { errno: 19 },
  ]);
});

const decoders: Record<string, (message: Message) => unknown> = {
  decodeAddress,
  decodeDumpResult,
  decodeEvent,
  decodeFdbEntry,
  decodeKernelAnswer,
  decodeLink,
  decodeNeighbour,
  decodeNextHops: ({ view, start, end }) =>
    decodeNextHops(new Uint8Array(view.buffer, start, end - start)),
  decodeRoute,
  decodeRule,
  decodeStatistics,
};

/** A decoder may only return or say NETLINK_MALFORMED. */
function mustHold(decode: (message: Message) => unknown, message: Message): void {
  try {
    decode(message);
  } catch (error) {
    if (!hasCode(error, "NETLINK_MALFORMED")) throw error;
  }
}

const types = fc.integer({ min: 0, max: 40 });
const flags = fc.constantFrom(0, 0x100, 0x200, 0x300);

for (const [name, decode] of Object.entries(decoders)) {
  test(`${name} holds on random bytes`, () => {
    const property = fc.property(
      types,
      flags,
      fc.uint8Array({ maxLength: 200 }),
      (type, bits, bytes) => mustHold(decode, messageOf(type, bytes, bits)),
    );
    fc.assert(property, { numRuns: 2000 });
  });

  test(`${name} holds on real messages cut short or changed in places`, () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      maxLength: 6,
    });
    const property = fc.property(
      fc.constantFrom(...corpus),
      fc.nat(),
      changes,
      ({ type, flags, payload }, cut, changed) => {
        const bytes = payload.slice(0, payload.length - (cut % (payload.length + 1)));
        for (const [at, value] of changed) if (bytes.length > 0) bytes[at % bytes.length] = value;
        mustHold(decode, messageOf(type, bytes, flags));
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });
}

test("no decoder reads past the end: cut messages are never read as longer ones", () => {
  // messageOf puts bytes behind the end; reading them would give values instead of an error.
  for (const { type, payload, flags } of corpus.filter(({ type }) => type >= 16)) {
    for (let length = 0; length < payload.length; length++) {
      const here = messageOf(type, payload.slice(0, length), flags);
      const exact = new DataView(Uint8Array.from(payload.slice(0, length)).buffer);
      const alone: Message = { ...here, view: exact, start: 0, end: length };
      const outcome = (message: Message) => {
        try {
          return decodeEvent(message);
        } catch (error) {
          assert.ok(hasCode(error, "NETLINK_MALFORMED"), String(error));
          return error.details.what;
        }
      };
      assert.deepEqual(outcome(here), outcome(alone));
    }
  }
});

test("framing holds on random bytes, and every message lies inside", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      forEachMessage(view, bytes.length, ({ start, end }) => {
        assert.ok(start >= 16 && end >= start && end <= bytes.length);
      });
    } catch (error) {
      if (!hasCode(error, "NETLINK_MALFORMED")) throw error;
    }
  });
  fc.assert(property, { numRuns: 3000 });
});

test("what is malformed is named, with its bytes", () => {
  const short = messageOf(24, Uint8Array.of(2, 0, 0));
  assert.throws(() => decodeRoute(short), {
    code: "NETLINK_MALFORMED",
    message: "netlink: struct rtmsg of 3 bytes: 020000",
  });
  const route = Uint8Array.of(2, 24, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0, 7, 0, 1, 0, 10, 0, 0, 0);
  assert.throws(() => decodeRoute(messageOf(24, route)), {
    message: "netlink: RTA_DST: 3 bytes are no IP address: 070001000a000000",
  });
  const over = Uint8Array.of(2, 24, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0, 9, 0, 1, 0, 10, 0, 0, 0);
  assert.throws(() => decodeRoute(messageOf(24, over)), {
    message: "netlink: RTA: attribute of length 9, 8 left: 090001000a000000",
  });
});
