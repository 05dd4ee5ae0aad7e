import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Family, ipAddress, ipv4 } from "../lib/index.ts";
import { decodeIcmp, encodeEcho, encodeMark, payloadBytes } from "./icmp.ts";

const mark = { session: "00ff00ff00ff00fe", sequence: 70_000 };
const request = (family: Family, packetBytes?: number) =>
  encodeEcho({ family, identifier: 7, mark, ...(packetBytes && { packetBytes }) });

/** An IPv4 packet without options. */
function ipv4Packet(protocol: number, payload: Uint8Array, destination = "10.244.2.9") {
  const packet = new Uint8Array(20 + payload.length);
  packet[0] = 0x45;
  packet[9] = protocol;
  new DataView(packet.buffer).setUint32(16, ipv4(destination));
  packet.set(payload, 20);
  return packet;
}

function ipv6Packet(nextHeader: number, payload: Uint8Array) {
  const packet = new Uint8Array(40 + payload.length);
  packet[0] = 0x60;
  packet[6] = nextHeader;
  packet.set([0xfd, 0, 0x02, 0x44], 24);
  packet[39] = 9;
  packet.set(payload, 40);
  return packet;
}

const message = (type: number, code: number, rest: Uint8Array) =>
  Uint8Array.from([type, code, 0, 0, 0, 0, 0, 0, ...rest]);
const udp = (payload: Uint8Array) => Uint8Array.from([1, 2, 69, 237, 0, 0, 0, 0, ...payload]);
const asReply = (sent: Uint8Array, type: number) => Uint8Array.from([type, ...sent.subarray(1)]);

describe("ICMP of live probes", () => {
  test("a reply gives back what was sent", () => {
    const reply4 = ipv4Packet(1, asReply(request(4), 0));
    assert.deepEqual(decodeIcmp(4, reply4), { kind: "reply", ...mark });
    assert.deepEqual(decodeIcmp(6, asReply(request(6), 129)), { kind: "reply", ...mark });
    assert.equal(decodeIcmp(4, ipv4Packet(1, request(4))), undefined, "a request of somebody");
  });

  test("the checksum of an IPv4 message sums to nothing, at every size (RFC 1071)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9_000 }),
        fc.nat({ max: 2 ** 32 - 1 }),
        (bytes, sequence) => {
          const sent = encodeEcho({
            ...{ family: 4, identifier: 0xffff, packetBytes: bytes },
            mark: { ...mark, sequence },
          });
          let sum = 0;
          for (let i = 0; i < sent.length; i += 2)
            sum += ((sent[i] ?? 0) << 8) | (sent[i + 1] ?? 0);
          while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
          assert.equal(sum, 0xffff);
          assert.deepEqual(decodeIcmp(4, ipv4Packet(1, asReply(sent, 0))), {
            ...{ kind: "reply", session: mark.session, sequence },
          });
        },
      ),
    );
  });

  test("a packet of a size has that size with its IP header", () => {
    assert.equal(request(4, 1480).length + 20, 1480);
    assert.equal(request(6, 1430).length + 40, 1430);
    assert.equal(payloadBytes(4, 1480), 1452);
    assert.equal(request(4, 1).length, request(4).length);
  });

  test("nobody at the port: that is told apart from what is wrong on the way", () => {
    const knock = ipv4Packet(17, udp(encodeMark(mark)));
    const about = { destination: ipAddress("10.244.2.9"), ...mark };
    assert.deepEqual(decodeIcmp(4, ipv4Packet(1, message(3, 3, knock))), {
      ...{ kind: "error", port: true, text: "port unreachable", ...about },
    });
    assert.deepEqual(decodeIcmp(4, ipv4Packet(1, message(3, 1, ipv4Packet(1, request(4))))), {
      ...{ kind: "error", port: false, text: "host unreachable", ...about },
    });
    assert.deepEqual(decodeIcmp(6, message(1, 4, ipv6Packet(17, udp(encodeMark(mark))))), {
      ...{ kind: "error", port: true, text: "port unreachable" },
      ...{ destination: ipAddress("fd00:244::9"), ...mark },
    });
    assert.deepEqual(decodeIcmp(6, message(2, 0, ipv6Packet(58, request(6)))), {
      ...{ kind: "error", port: false, text: "packet too big" },
      ...{ destination: ipAddress("fd00:244::9"), ...mark },
    });
  });

  test("errors about packets that carry no mark, and other messages, are none", () => {
    const short = ipv4Packet(17, udp(encodeMark(mark)).subarray(0, 8));
    assert.equal(decodeIcmp(4, ipv4Packet(1, message(3, 3, short))), undefined);
    const tcp = ipv4Packet(6, udp(encodeMark(mark)));
    assert.equal(decodeIcmp(4, ipv4Packet(1, message(3, 3, tcp))), undefined);
    assert.equal(decodeIcmp(4, ipv4Packet(1, message(5, 0, short))), undefined);
  });

  test("any bytes, and any beginning of a good packet, are read without harm", () => {
    const family = fc.constantFrom<Family>(4, 6);
    fc.assert(
      fc.property(family, fc.uint8Array({ maxLength: 200 }), (of, bytes) => {
        decodeIcmp(of, bytes);
      }),
      { numRuns: 2_000 },
    );
    const whole = ipv4Packet(1, message(3, 3, ipv4Packet(17, udp(encodeMark(mark)))));
    for (let length = 0; length < whole.length; length++) {
      assert.equal(decodeIcmp(4, whole.subarray(0, length)), undefined, `${length} bytes`);
    }
  });
});
