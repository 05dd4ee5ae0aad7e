/** Decoders against real messages, and against what no kernel sends. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, formatPrefix, hasCode } from "../lib/index.ts";
import { decodeAddress } from "./address.ts";
import { decodeEncap } from "./encap.ts";
import {
  decodeFeatureChanges,
  decodeFeatures,
  decodeLinkState,
  decodeStringSet,
} from "./ethtool.ts";
import { decodeEvent } from "./event.ts";
import { decodeFdbEntry } from "./fdb.ts";
import { formatRoute } from "./format-route.ts";
import { decodeFamily } from "./generic.ts";
import { decodeDumpResult, decodeKernelAnswer } from "./kernel-error.ts";
import { decodeLink, decodeStatistics } from "./link.ts";
import { forEachMessage, type Message } from "./message.ts";
import { decodeNeighbour } from "./neighbour.ts";
import { decodeNetnsId } from "./netns-id.ts";
import { decodeNextHops } from "./next-hop.ts";
import { decodeNextHopObject, formatNextHop } from "./next-hop-object.ts";
import { decodeAnyRoute, decodeRoute } from "./route.ts";
import { decodePlainRoute } from "./route-plain.ts";
import { decodeRule, formatRule } from "./rule.ts";
import { captures, messageOf } from "./test-messages.ts";
import type { NetlinkEvent } from "./types.ts";

const corpus = captures();
const generic = captures("captures-generic.txt");

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
    case "next-hop":
      return `nexthop ${formatNextHop(event.nextHop)}`;
    case "netns-id":
      return `netns-id ${event.netnsId}`;
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
    "link 4 vx0 vxlan 6a:2f:3f:e2:cc:16 1450 down",
    "link 5 br9 bridge 46:9c:ac:31:df:3d 1500 down",
    "link 5 br9 bridge be:05:c4:2a:62:40 1500 down",
    "link 6 mv0 macvlan b6:13:2c:69:bb:8f 1500 down",
    "link 7 tun3 tun undefined 1500 down",
    "nexthop id 1 via 10.0.0.2 dev if3 scope link proto 80",
    "nexthop id 2 blackhole",
    "nexthop id 3 encap ip6 id 3 src :: dst fd00::9 hoplimit 0 tc 0 via fd00::2 dev if3 scope link",
    "nexthop id 4 group 1,3",
    "route 10.20.0.0/16 nhid 4 via 10.0.0.2 dev if3 proto 80",
    "route 10.21.0.0/16 encap ip id 9 src 0.0.0.0 dst 10.9.9.9 ttl 5 tos 0 tos 0x10 via 10.0.0.2 dev if3 proto 80 mtu lock 1400 rto_min 300ms quickack 1 congctl cubic",
    "rule priority 300 from all tos 0x10 uidrange 1-2 ipproto udp sport 1-2 dport 53 lookup main suppress_prefixlength 0",
    "rule priority 301 from all goto 400 [unresolved]",
    "netns-id 5",
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
  decodeAnyRoute,
  decodeNextHopObject,
  decodeNetnsId,
  decodeFamily,
  decodeFeatures,
  decodeFeatureChanges,
  decodeLinkState,
  decodeStringSet,
  decodeEncap: ({ view, start, end, type }) =>
    decodeEncap(type % 8, new Uint8Array(view.buffer, start, end - start)),
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
      fc.constantFrom(...corpus, ...generic),
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

test("captured answers of generic netlink read as what they were", () => {
  assert.equal(generic.length, 6);
  const [family, before, , changes, state, names] = generic.map(({ type, flags, payload }) =>
    messageOf(type, payload, flags),
  );
  const { name, id, version, groups } = decodeFamily(family!);
  assert.deepEqual([name, id, version, [...groups.keys()]], ["ethtool", 21, 1, ["monitor"]]);
  const features = decodeFeatures(before!);
  assert.equal(features.size, 61);
  assert.deepEqual(features.get("tx-checksum-ip-generic"), {
    active: true,
    wanted: true,
    fixed: false,
  });
  assert.deepEqual(features.get("rx-lro"), { active: false, wanted: false, fixed: true });
  const { changed, refused } = decodeFeatureChanges(changes!);
  assert.equal(changed.get("tx-checksum-ip-generic"), false);
  assert.deepEqual(refused, ["rx-lro"]);
  assert.deepEqual(decodeLinkState(state!), { link: true });
  assert.equal(decodeStringSet(names!)[0], "peer_ifindex");
});

test("the short way to read a route and the table agree on every message there is", () => {
  let plain = 0;
  const agree = (message: Message) => {
    const short = decodePlainRoute(message);
    if (short === undefined) return;
    plain++;
    assert.deepEqual(short, decodeAnyRoute(message));
  };
  for (const { type, payload, flags } of corpus) agree(messageOf(type, payload, flags));
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  const routes = corpus.filter(({ type }) => type === 24);
  const property = fc.property(
    fc.constantFrom(...routes),
    changes,
    ({ type, payload }, changed) => {
      const bytes = payload.slice();
      for (const [at, value] of changed) bytes[at % bytes.length] = value;
      agree(messageOf(type, bytes));
    },
  );
  fc.assert(property, { numRuns: 5000 });
  assert.ok(plain > 1000, `only ${plain} plain routes`);
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
