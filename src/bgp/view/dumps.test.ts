/**
 * Dumps read back by decoders written from the formats' own documents: MRT from RFC 6396 section 2, 3
 * and 4.4, capture files from libpcap's, IP and TCP with their checksums from RFC 791, 8200 and 9293.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type IpAddress, ipAddress, ipv4 } from "../../lib/index.ts";
import type { KeptMessage } from "../index.ts";
import { mrtRecord } from "./mrt.ts";
import { PcapWriter, pcapHeader } from "./pcap.ts";

const v4 = { peer: ipv4("192.0.2.2"), local: ipv4("192.0.2.1") };
const v6 = { peer: ipAddress("2001:db8::2"), local: ipAddress("2001:db8::1") };

const addresses = fc.constantFrom<{ peer: IpAddress; local: IpAddress }>(v4, v6);
const messageArb = fc.record({
  atMs: fc.integer({ min: 0, max: 2 ** 42 }),
  sent: fc.boolean(),
  id: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(16_388)),
  fourOctetAs: fc.boolean(),
  addPath: fc.constantFrom("receive", "send", "none"),
  bytes: fc
    .tuple(fc.uint8Array({ minLength: 19, maxLength: 500 }), fc.integer({ min: 1, max: 5 }))
    .map(([bytes, type]) => bytes.map((byte, at) => (at === 18 ? type : byte))),
});

/** A connection has one direction. */
const dialledByPeer = (id: number) => id % 3 === 0;

type Parts = typeof messageArb extends fc.Arbitrary<infer T> ? T : never;

function kept(parts: Parts, local: IpAddress): KeptMessage {
  const { id, fourOctetAs, atMs, sent, bytes } = parts;
  const incoming = dialledByPeer(id);
  const { addPath } = parts;
  const reading = {
    ...{ fourOctetAs, extendedNextHop: false },
    addPathReceive: addPath === "receive" ? ["ipv4-unicast" as const] : [],
    addPathSend: addPath === "send" ? ["ipv4-unicast" as const] : [],
  };
  return { atMs, sent, bytes, connection: { id, incoming, reading, localAddress: local } };
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("MRT", () => {
  it("is read back as what went in", () => {
    fc.assert(
      fc.property(messageArb, addresses, fc.nat(2 ** 32 - 1), (parts, { peer, local }, as) => {
        const seconds = Math.min(parts.atMs, (2 ** 32 - 1) * 1000);
        const message = kept({ ...parts, atMs: seconds }, local);
        const record = mrtRecord(message, {
          ...{ peerAs: as, localAs: 64512, peerAddress: peer, port: 179 },
        });
        const view = new DataView(record.buffer);
        assert.equal(view.getUint16(4), 17);
        assert.equal(view.getUint32(8), record.length - 12);
        const atMs = view.getUint32(0) * 1000 + view.getUint32(12) / 1000;
        assert.equal(atMs, message.atMs);
        const subtype = view.getUint16(6);
        const four = [4, 7, 9, 11].includes(subtype);
        assert.equal(four, parts.fourOctetAs);
        assert.equal([6, 7, 10, 11].includes(subtype), parts.sent);
        const paths = parts.bytes[18] === 2 && parts.addPath === (parts.sent ? "send" : "receive");
        assert.equal(subtype >= 8, paths);
        const peerAs = four ? view.getUint32(16) : view.getUint16(16);
        assert.equal(peerAs, four || as <= 0xffff ? as : 23456);
        const localAs = four ? view.getUint32(20) : view.getUint16(18);
        assert.equal(localAs, 64512);
        let at = four ? 24 : 20;
        assert.equal(view.getUint16(at), 0);
        const size = typeof peer === "number" ? 4 : 16;
        assert.equal(view.getUint16(at + 2), size === 4 ? 1 : 2);
        at += 4;
        const head = size === 4 ? "c000020" : `20010db8${"0".repeat(23)}`;
        assert.equal(hex(record.subarray(at, at + size)), `${head}2`);
        assert.equal(hex(record.subarray(at + size, at + 2 * size)), `${head}1`);
        assert.deepEqual(record.subarray(at + 2 * size), message.bytes);
      }),
      { numRuns: 200 },
    );
  });
});

/** Sums to zero where the checksum in there is right. */
function sum(...parts: Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total ^ 0xffff;
}

describe("capture files", () => {
  it("have the header of the format", () => {
    assert.equal(hex(pcapHeader()), "a1b2c3d4000200040000000000000000" + "0004000000000065");
  });

  it("hold packets with right lengths and checksums, and TCP that goes on where it was", () => {
    fc.assert(
      fc.property(fc.array(messageArb, { maxLength: 20 }), addresses, (list, { peer, local }) => {
        const writer = new PcapWriter({
          ...{ peerAs: 1, localAs: 2, peerAddress: peer, port: 1790 },
        });
        const next = new Map<string, number>();
        for (const parts of list) {
          const message = kept(parts, local);
          const [record, ...more] = writer.packets(message);
          assert.equal(more.length, 0);
          const view = new DataView(record!.buffer);
          assert.equal(view.getUint32(8), record!.length - 16);
          assert.equal(view.getUint32(12), record!.length - 16);
          assert.ok(view.getUint32(4) < 1_000_000);
          const ip = record!.subarray(16);
          const four = typeof peer === "number";
          assert.equal(ip[0]! >>> 4, four ? 4 : 6);
          const tcp = ip.subarray(four ? 20 : 40);
          const ends = four ? ip.subarray(12, 20) : ip.subarray(8, 40);
          if (four) assert.equal(sum(ip.subarray(0, 20)), 0);
          else assert.equal(ip[4]! * 256 + ip[5]!, tcp.length);
          assert.equal(four ? ip[9] : ip[6], 6);
          assert.equal(sum(ends, Uint8Array.of(0, 6, tcp.length >>> 8, tcp.length & 255), tcp), 0);
          assert.deepEqual(tcp.subarray(20), message.bytes);
          const source = tcp[0]! * 256 + tcp[1]!;
          const destination = tcp[2]! * 256 + tcp[3]!;
          assert.equal(
            (dialledByPeer(parts.id) === parts.sent ? source : destination) === 179,
            true,
          );
          const side = `${source} ${destination} ${parts.id}`;
          const sequence = new DataView(tcp.buffer, tcp.byteOffset).getUint32(4);
          if (next.has(side)) assert.equal(sequence, next.get(side));
          next.set(side, sequence + message.bytes.length);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("hold an extended message in as many packets as it needs", () => {
    const writer = new PcapWriter({
      ...{ peerAs: 1, localAs: 2, peerAddress: v4.peer, port: 179 },
    });
    const reading = {
      fourOctetAs: true,
      extendedNextHop: false,
      addPathReceive: [],
      addPathSend: [],
    };
    const connection = { id: 1, incoming: false, reading };
    const bytes = new Uint8Array(65_535).map((_, i) => i);
    const packets = writer.packets({ atMs: 1, sent: true, connection, bytes });
    assert.equal(packets.length, 2);
    assert.deepEqual(Buffer.concat(packets.map((one) => one.subarray(56))), Buffer.from(bytes));
  });
});
