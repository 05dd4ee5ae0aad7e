/** What each kind of peer is told of each kind of route. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress, ipAddress, ipv4, prefix } from "../../lib/index.ts";
import { compilePolicy } from "../policy/index.ts";
import type { OriginatedRoute } from "../types.ts";
import {
  AttributeTable,
  asPathNumbers,
  decodeUpdate,
  encodeAnnounce,
  extendedCommunities,
  keyOfPrefix,
  largeCommunities,
  type PathAttributes,
  wellKnownCommunity,
} from "../wire/index.ts";
import { AdjRibOut } from "./adj-rib-out.ts";
import { Exporter, Originations } from "./export.ts";
import type { ExportTarget, OutgoingAttributes } from "./export-target.ts";
import { makePath, type Path, type Source } from "./path.ts";
import { SharedUpdates } from "./shared-updates.ts";
import { testNumber, testSource } from "./testing.ts";

const identity = {
  as: 64512,
  routerId: ipv4("192.0.2.1"),
  clusterId: ipv4("192.0.2.200"),
};
const key = keyOfPrefix(prefix("10.0.0.0/26"));

function target(parts: Partial<ExportTarget>): ExportTarget {
  return {
    peerType: "ebgp",
    peerAddress: ipv4("192.0.2.9"),
    peerRouterId: ipv4("192.0.2.9"),
    localAddress: ipv4("192.0.2.1"),
    routeReflectorClient: false,
    nextHop: "auto",
    fourOctetAs: true,
    extendedNextHop: false,
    role: undefined,
    identity,
    maximumPaths: 1,
    longLivedStale: "hide",
    policy: compilePolicy(undefined, parts.peerType ?? "ebgp"),
    ...parts,
  };
}

function learned(parts: Partial<Source> = {}, more: Partial<PathAttributes> = {}): Path {
  const source = testSource(1, {
    peer: "origin",
    peerAddress: ipv4("192.0.2.5"),
    peerRouterId: ipv4("192.0.2.5"),
    localAddress: ipv4("192.0.2.1"),
    ...parts,
  });
  const attributes: PathAttributes = {
    origin: "igp",
    asPath: [{ kind: "sequence", asns: [65001] }],
    nextHop: ipv4("192.0.2.5"),
    med: 7,
    ...more,
  };
  return makePath({ source, attributes, identity });
}

const ibgp = { peerType: "ibgp" as const };
const client = { ...ibgp, routeReflectorClient: true };

/** The attributes as the peer would read them, in a line. */
function told(to: Partial<ExportTarget>, route: Path | OriginatedRoute): string {
  const exporter = new Exporter(target(to));
  const from = "prefix" in route ? new Originations().of(route) : route;
  const outgoing = exporter.export(key, from);
  const withheld = exporter.withheld(key, from);
  if (outgoing === undefined) return `nothing: ${withheld?.by}${withheld?.rule ?? ""}`;
  assert.equal(withheld, undefined);
  const [message] = encodeAnnounce({
    family: "ipv4-unicast",
    attributes: outgoing.bytes,
    nextHop: outgoing.nextHop,
    keys: [key],
    maximumBytes: 4096,
  });
  const agreed = { fourOctetAs: true, extendedNextHop: to.extendedNextHop ?? false };
  const context = { ...agreed, peerType: "ibgp" as const, table: new AttributeTable() };
  const read = decodeUpdate(message!, context).reach[0]!.attributes;
  const words = [
    `via ${formatAddress(read.nextHop)}`,
    `as ${asPathNumbers(read.asPath).join(" ")}`,
  ];
  if (read.localPref !== undefined) words.push(`pref ${read.localPref}`);
  if (read.med !== undefined) words.push(`med ${read.med}`);
  if (read.originatorId !== undefined) words.push(`originator ${formatAddress(read.originatorId)}`);
  if (read.onlyToCustomer) words.push(`only to customer ${read.onlyToCustomer}`);
  if (read.communities) words.push(`communities ${read.communities.join(" ")}`);
  for (const each of largeCommunities(read.largeCommunities)) words.push(`large ${each.join(":")}`);
  for (const each of extendedCommunities(read.extendedCommunities)) {
    words.push(`extended ${each.toString(16)}`);
  }
  if (read.clusterList) words.push(`clusters ${read.clusterList.map(formatAddress).join(" ")}`);
  return words.join(", ");
}

/** A route target, and a link bandwidth which does not cross the border. */
const twoExtended = Uint8Array.of(0, 2, 0xfd, 0xe8, 0, 0, 0, 1, 0x43, 4, 0, 0, 0, 0, 0, 0);

describe("export", () => {
  const own: OriginatedRoute = { prefix: prefix("10.0.0.0/26") };
  const elsewhere = { ...own, nextHop: ipAddress("192.0.2.77") };
  const third = ipv4("192.0.2.3");
  const onlyToCustomer = learned({}, { onlyToCustomer: 65001 });
  const rows: [name: string, actual: string, expected: string][] = [
    ["originated, to eBGP", told({}, own), "via 192.0.2.1, as 64512"],
    ["originated, to iBGP", told(ibgp, own), "via 192.0.2.1, as , pref 100"],
    [
      "originated with a MED",
      told(ibgp, { ...own, med: 5 }),
      "via 192.0.2.1, as , pref 100, med 5",
    ],
    ["originated with a next hop", told({}, elsewhere), "via 192.0.2.77, as 64512"],
    ["originated, next hop self", told({ nextHop: "self" }, elsewhere), "via 192.0.2.1, as 64512"],
    [
      "originated, next hop is the peer",
      told({ peerAddress: ipv4("192.0.2.77") }, elsewhere),
      "via 192.0.2.1, as 64512",
    ],
    ["from eBGP to eBGP", told({}, learned()), "via 192.0.2.1, as 64512 65001"],
    [
      "from eBGP to eBGP, next hop kept",
      told({ nextHop: "keep" }, learned()),
      "via 192.0.2.5, as 64512 65001",
    ],
    ["from eBGP to iBGP", told(ibgp, learned()), "via 192.0.2.5, as 65001, pref 100, med 7"],
    [
      "from eBGP to iBGP, next hop self",
      told({ ...ibgp, nextHop: "self" }, learned()),
      "via 192.0.2.1, as 65001, pref 100, med 7",
    ],
    [
      "from a peer on a link of its own to iBGP: nobody else reaches what is link-local (RFC 2545)",
      told(ibgp, learned({}, { nextHop: ipAddress("fe80::5") })),
      "via 192.0.2.1, as 65001, pref 100, med 7",
    ],
    ["from iBGP to iBGP", told(ibgp, learned(ibgp)), "nothing: internal"],
    ["from iBGP to eBGP", told({}, learned(ibgp)), "via 192.0.2.1, as 64512 65001"],
    [
      "reflected to a client",
      told(client, learned(ibgp)),
      "via 192.0.2.5, as 65001, pref 100, med 7, originator 192.0.2.5, clusters 192.0.2.200",
    ],
    [
      "reflected from a client",
      told(ibgp, learned(client, { clusterList: [third], originatorId: third })),
      "via 192.0.2.5, as 65001, pref 100, med 7, originator 192.0.2.3, clusters 192.0.2.200 192.0.2.3",
    ],
    [
      "reflected to its originator",
      told(client, learned(ibgp, { originatorId: ipv4("192.0.2.9") })),
      "nothing: originator",
    ],
    [
      "originated with communities, a large one twice",
      told(ibgp, {
        ...own,
        communities: [7],
        largeCommunities: [
          [4_200_000_000, 1, 2],
          [64512, 0, 0],
          [64512, 0, 0],
        ],
      }),
      "via 192.0.2.1, as , pref 100, communities 7, large 4200000000:1:2, large 64512:0:0",
    ],
    [
      "extended communities that stay inside an AS, to iBGP",
      told(ibgp, learned({}, { extendedCommunities: twoExtended })),
      "via 192.0.2.5, as 65001, pref 100, med 7, extended 2fde800000001, extended 4304000000000000",
    ],
    [
      "extended communities that stay inside an AS, to eBGP (RFC 4360 section 6)",
      told({}, learned({}, { extendedCommunities: twoExtended })),
      "via 192.0.2.1, as 64512 65001, extended 2fde800000001",
    ],
    [
      "none of which leaves the AS",
      told({}, learned({}, { extendedCommunities: twoExtended.slice(8) })),
      "via 192.0.2.1, as 64512 65001",
    ],
    [
      "IPv4 with an IPv6 next hop, where that was not agreed on",
      told({ localAddress: ipAddress("2001:db8::1") }, learned()),
      "nothing: next-hop",
    ],
    [
      "IPv4 with an IPv6 next hop (RFC 8950)",
      told({ localAddress: ipAddress("2001:db8::1"), extendedNextHop: true }, learned()),
      "via 2001:db8::1, as 64512 65001",
    ],
    [
      "to a provider what is for customers only",
      told({ role: "customer" }, onlyToCustomer),
      "nothing: role",
    ],
    [
      "to a customer, marked (RFC 9234)",
      told({ role: "provider" }, own),
      "via 192.0.2.1, as 64512, only to customer 64512",
    ],
    [
      "back where it came from",
      told({ peerAddress: ipv4("192.0.2.5") }, learned()),
      "nothing: own",
    ],
    [
      "NO_ADVERTISE",
      told(ibgp, learned({}, { communities: [wellKnownCommunity.noAdvertise] })),
      "nothing: community",
    ],
    [
      "NO_EXPORT to eBGP",
      told({}, learned({}, { communities: [wellKnownCommunity.noExport] })),
      "nothing: community",
    ],
    [
      "NO_EXPORT to iBGP",
      told(ibgp, learned({}, { communities: [wellKnownCommunity.noExport] })),
      "via 192.0.2.5, as 65001, pref 100, med 7, communities 4294967041",
    ],
    [
      "no IPv4 next hop to offer",
      told({ localAddress: ipAddress("::1") }, own),
      "nothing: next-hop",
    ],
    [
      "rejected by policy",
      told({ policy: compilePolicy([{ source: "originated", action: "reject" }], "ebgp") }, own),
      "nothing: export-policy0",
    ],
    [
      "changed by policy",
      told(
        {
          ...ibgp,
          policy: compilePolicy([{ action: "accept", set: { localPref: 9, med: 8 } }], "ibgp"),
        },
        learned(),
      ),
      "via 192.0.2.5, as 65001, pref 9, med 8",
    ],
  ];
  for (const [name, actual, expected] of rows) {
    it(name, () => assert.equal(actual, expected));
  }

  it("gives the identical object for equal routes", () => {
    const exporter = new Exporter(target({}));
    assert.equal(exporter.export(key, learned()), exporter.export(key, learned()));
  });
});

describe("Adj-RIB-out", () => {
  const attributes: OutgoingAttributes = {
    bytes: Uint8Array.of(0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 3, 4, 192, 0, 2, 1),
    nextHop: ipv4("192.0.2.1"),
  };
  const keys = Array.from({ length: 3000 }, (_, index) => (0x0a000000 + index * 64) * 64 + 26);

  it("packs prefixes, sends each change once and nothing twice", () => {
    const numbers = keys.map(testNumber);
    const wanted = new Map(numbers.map((each) => [each, attributes]));
    const table = new AdjRibOut({
      families: ["ipv4-unicast"],
      maximumBytes: 4096,
      updates: new SharedUpdates(),
      wanted: (each) => wanted.get(each),
    });
    for (const each of numbers) table.touch(each);
    const context = { fourOctetAs: true, peerType: "ibgp" as const, table: new AttributeTable() };
    const first = table.take(10_000);
    // 4059 bytes of NLRI in a message, 5 bytes each.
    assert.equal(first.length, Math.ceil(3000 / Math.floor((4096 - 23 - 14) / 5)));
    assert.equal(first.flatMap((each) => decodeUpdate(each, context).reach[0]!.keys).length, 3000);
    assert.equal(table.size, 3000);

    for (const each of numbers) table.touch(each);
    assert.deepEqual(table.take(10_000), []);

    wanted.delete(numbers[0]!);
    table.touch(numbers[0]!);
    const [gone, ...more] = table.take(10);
    assert.deepEqual(more, []);
    assert.deepEqual(decodeUpdate(gone!, context).withdrawn, [keys[0]]);
    assert.equal(table.size, 2999);

    table.forget("ipv4-unicast");
    assert.equal(
      table.take(10_000).flatMap((each) => decodeUpdate(each, context).reach[0]!.keys).length,
      2999,
    );
    assert.ok(table.idle);
  });

  it("does not announce what is gone before it was sent", () => {
    const table = new AdjRibOut({
      families: ["ipv4-unicast"],
      maximumBytes: 4096,
      updates: new SharedUpdates(),
      wanted: () => undefined,
    });
    table.touch(testNumber(keys[0]!));
    assert.deepEqual(table.take(10), []);
    assert.equal(table.size, 0);
  });
});
