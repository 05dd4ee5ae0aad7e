/** Fuzz targets of the BGP speaker: every decoder of what a peer sends, and whole sessions. */

import assert from "node:assert/strict";
import { decodeBfd, encodeBfd } from "../../src/bgp/bfd/packet.ts";
import {
  type beginnings,
  everything,
  type MadStep,
  playMadPeer,
} from "../../src/bgp/testing/mad-peer.ts";
import { announcement, openMessage, withdrawal } from "../../src/bgp/testing/scripted-peer.ts";
import { messageDocument } from "../../src/bgp/view/message-words.ts";
import {
  type AttributeContext,
  AttributeTable,
  decodeNotification,
  decodeOpen,
  decodeRouteRefresh,
  decodeUpdate,
  describeNotification,
  encodeAnnounce,
  encodeAttributes,
  encodeEndOfRib,
  encodeKeepalive,
  encodeNotification,
  encodeRouteRefresh,
  explainNotification,
  Framer,
  familyOfKey,
  hardReset,
  keyOfPrefix,
  messageType,
  notification,
  type PathAttributes,
  ProtocolError,
  prefixOfKey,
} from "../../src/bgp/wire/index.ts";
import { formatPrefix, ipAddress, ipv4, prefix } from "../../src/lib/index.ts";
import type { Target } from "./explore.ts";
import type { Input } from "./input.ts";

const full: Partial<PathAttributes> = {
  asPath: [
    { kind: "sequence", asns: [64513, 4_200_000_000] },
    { kind: "set", asns: [64514, 64515] },
  ],
  ...{ med: 5, localPref: 100, atomicAggregate: true },
  communities: [0xffffff01, 0xfde80001],
  extendedCommunities: Uint8Array.of(0, 2, 0xfd, 0xe8, 0, 0, 0, 1),
  largeCommunities: Uint8Array.of(0, 0, 0xfc, 0, 0, 0, 0, 1, 0, 0, 0, 2),
  originatorId: ipv4("10.0.0.9"),
  clusterList: [ipv4("10.0.0.8"), ipv4("10.0.0.7")],
};

function ipv6Announcement(): Uint8Array {
  const nextHop = ipAddress("fd00::2");
  const attributes = { origin: "igp" as const, asPath: [], nextHop };
  return encodeAnnounce({
    family: "ipv6-unicast",
    attributes: encodeAttributes(attributes, { fourOctetAs: true }),
    nextHop,
    keys: ["fd01::/64", "fd02::1/128"].map((text) => keyOfPrefix(prefix(text))),
    maximumBytes: 4096,
  })[0]!;
}

const samples: readonly Uint8Array[] = [
  openMessage(),
  openMessage({ capabilities: everything }),
  encodeKeepalive(),
  announcement(["10.9.1.0/24", "10.9.2.0/23"]),
  announcement(["10.9.1.0/24"], full),
  ipv6Announcement(),
  withdrawal(["10.9.1.0/24", "10.9.5.0/24"]),
  encodeEndOfRib("ipv4-unicast"),
  encodeEndOfRib("ipv6-unicast"),
  encodeNotification(notification("administrativeShutdown", Uint8Array.of(3, 98, 121, 101))),
  encodeNotification(hardReset(notification("peerDeconfigured"))),
  encodeRouteRefresh({ afi: 1, safi: 1, subtype: "request" }),
  encodeRouteRefresh({ afi: 1, safi: 1, subtype: "begin" }),
  encodeRouteRefresh({ afi: 1, safi: 1, subtype: "end" }),
];

const contexts: readonly AttributeContext[] = [
  { fourOctetAs: false, peerType: "ibgp" },
  { fourOctetAs: true, peerType: "ebgp", extendedNextHop: true },
  { fourOctetAs: true, peerType: "ibgp", addPathReceive: ["ipv4-unicast", "ipv6-unicast"] },
];

const reading = {
  ...{ fourOctetAs: true, extendedNextHop: true },
  ...{ addPathReceive: ["ipv6-unicast"] as const, addPathSend: [] },
};
const connection = { id: 1, incoming: true, reading };

function decode(bytes: Uint8Array): void {
  const kept = { atMs: 0, sent: false, connection, bytes };
  assert.equal(typeof messageDocument(kept).words, "string");
  decodeOnly(bytes);
}

function decodeOnly(message: Uint8Array): void {
  switch (message[18]) {
    case messageType.open:
      decodeOpen(message);
      return;
    case messageType.notification: {
      const decoded = decodeNotification(message);
      assert.equal(typeof describeNotification(decoded), "string");
      assert.equal(typeof explainNotification(decoded), "string");
      return;
    }
    case messageType.update:
      for (const context of contexts) decodeAndRepeat(message, context);
      return;
    case messageType.keepalive:
      return;
    default:
      decodeRouteRefresh(message);
  }
}

/** What is taken of an UPDATE can be told to others, and is then taken by them alike. */
function decodeAndRepeat(message: Uint8Array, context: AttributeContext): void {
  const table = new AttributeTable();
  let update: ReturnType<typeof decodeUpdate>;
  try {
    update = decodeUpdate(message, { ...context, table });
  } catch (error) {
    if (error instanceof ProtocolError) return;
    throw error;
  }
  for (const key of update.withdrawn) formatPrefix(prefixOfKey(key));
  for (const { attributes, keys, ids } of update.reach) {
    const [first] = keys;
    if (first === undefined) continue;
    const again = encodeAnnounce({
      family: familyOfKey(first),
      attributes: encodeAttributes(attributes, context),
      nextHop: attributes.nextHop,
      ...{ keys, ids },
      maximumBytes: 65_535,
    });
    const told = again.map((each) => decodeUpdate(each, { ...context, table }));
    for (const { treatedAsWithdraw, discarded } of told) {
      assert.equal(treatedAsWithdraw, undefined);
      assert.deepEqual(discarded, []);
    }
    const parts = told.flatMap(({ reach }) => reach);
    const names = (some: typeof parts) =>
      some.flatMap((part) =>
        part.keys.map((key, i) => `${formatPrefix(prefixOfKey(key))} ${part.ids?.[i] ?? 0}`),
      );
    assert.deepEqual(names(parts), names([{ attributes, keys, ids }]));
  }
}

function messages(input: Input): void {
  const framer = new Framer();
  framer.maximumBytes = 65_535;
  try {
    for (const { bytes } of input) {
      framer.push(bytes);
      for (let message = framer.next(); message; message = framer.next()) decode(message);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // It is sent to the peer, and told to the operator.
    assert.ok(encodeNotification(error.notification).length <= 4096, "a long NOTIFICATION");
    describeNotification(error.notification);
  }
}

const pausesMs = [0, 0, 0, 1, 20, 100, 1000, 5000, 20_000, 100_000];

function session(begin: keyof typeof beginnings): (input: Input) => Promise<void> {
  return (input) => {
    const steps = input.map(
      ({ bytes, pause }): MadStep => ({ bytes, thenMs: pausesMs[pause]!, again: pause % 2 === 1 }),
    );
    return playMadPeer(steps, begin);
  };
}

const one = (bytes: Uint8Array): Input => [{ bytes, pause: 0 }];

function bfd(input: Input): void {
  for (const { bytes } of input) {
    const decoded = decodeBfd(bytes);
    if (decoded.kind === "packet") assert.deepEqual(decodeBfd(encodeBfd(decoded.packet)), decoded);
  }
}

const bfdSample = encodeBfd({
  ...{ diagnostic: 0, state: "Up", poll: false, final: false, demand: false },
  ...{ controlPlaneIndependent: false, detectMultiplier: 3 },
  ...{ myDiscriminator: 1, yourDiscriminator: 2, desiredMinTxUs: 300_000, requiredMinRxUs: 1 },
});

export const targets: readonly Target[] = [
  { name: "messages", seeds: samples.map(one), run: messages },
  { name: "bfd", seeds: [one(bfdSample)], run: bfd },
  ...(["none", "good", "able"] as const).map((begin) => ({
    name: `session-${begin}`,
    seeds: [[], ...samples.map(one)],
    run: session(begin),
  })),
];
