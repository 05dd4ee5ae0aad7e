/**
 * The two BPF programs on single frames, without any device: bytes in, verdict and bytes out, for what
 * is hard to send between namespaces (bad checksums, options, fragments, ECN, VLAN, garbage).
 */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { objectPath } from "../../src/dataplane/ipip/attachment.ts";
import type { IpipCounters } from "../../src/dataplane/ipip/index.ts";
import {
  configKey,
  decodeCounters,
  encodeConfig,
  encodeIndex,
  encodeIpv4,
  encodePrefix,
  mapNames,
  mapShapes,
} from "../../src/dataplane/ipip/layout.ts";
import { ipv4, prefix4 } from "../../src/lib/index.ts";
import { BpfObject, runBpfProgram } from "../../src/lib/sys/index.ts";
import { decodeIpv4Header } from "./uml/capture.ts";

const UNSPEC = -1;
const SHOT = 2;
const REDIRECT = 7;

const LOCAL = "172.139.20.75";
const PEER = "172.139.20.76";
const TUNNEL_MAC = "02:00:00:00:00:99";

let object: BpfObject;
before(() => {
  object = BpfObject.load({
    path: objectPath,
    classifiers: ["ipip_encap", "ipip_decap"],
    maps: mapNames,
  });
  configure(true);
  object.map("ipip_dests").set(encodePrefix(prefix4("10.244.2.0/26")), encodeIpv4(ipv4(PEER)));
  object.map("ipip_senders").set(encodeIpv4(ipv4(PEER)), Buffer.from([1, 0, 0, 0]));
});
after(() => object.close());

function configure(accept: boolean): void {
  const bytes = encodeConfig({
    local: ipv4(LOCAL),
    uplink: 1,
    tunnel: 1,
    tunnelMac: TUNNEL_MAC,
    accept,
    ownsQdisc: false,
  });
  object.map("ipip_config").set(configKey, bytes);
}

const counters = () =>
  decodeCounters((index) => object.map("ipip_counters").get(encodeIndex(index)) ?? Buffer.alloc(0));

/** Runs a program; what it said, made, and counted. */
function run(program: "ipip_encap" | "ipip_decap", frame: Buffer) {
  const before = counters();
  const { result, data } = runBpfProgram(object.program(program), frame);
  const now = counters();
  const counted = (Object.keys(now) as (keyof IpipCounters)[]).filter((k) => now[k] !== before[k]);
  return { result, data, counted };
}

interface Ip {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: number;
  readonly tos?: number;
  readonly fragment?: number;
  readonly options?: Buffer;
  readonly version?: number;
  readonly badChecksum?: boolean;
}

function ipv4Packet(ip: Ip, payload: Buffer): Buffer {
  const options = ip.options ?? Buffer.alloc(0);
  const header = Buffer.concat([Buffer.alloc(20), options]);
  header[0] = ((ip.version ?? 4) << 4) | (header.length / 4);
  header[1] = ip.tos ?? 0;
  header.writeUInt16BE(header.length + payload.length, 2);
  header.writeUInt16BE(ip.fragment ?? 0x4000, 6);
  header[8] = 64;
  header[9] = ip.protocol ?? 17;
  header.set(encodeIpv4(ipv4(ip.source)), 12);
  header.set(encodeIpv4(ipv4(ip.destination)), 16);
  let sum = 0;
  for (let i = 0; i < header.length; i += 2) sum += header.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  header.writeUInt16BE((~sum & 0xffff) ^ (ip.badChecksum ? 1 : 0), 10);
  return Buffer.concat([header, payload]);
}

/** To the loopback's own address, so that the kernel takes it as for this host. */
const ethernet = (packet: Buffer, type = 0x0800) =>
  Buffer.concat([
    Buffer.from("000000000000020000000002", "hex"),
    Buffer.from([type >> 8, type & 255]),
    packet,
  ]);

const inner = (change: Partial<Ip> = {}, payload = Buffer.from("payload of the inner packet")) =>
  ipv4Packet({ source: "10.244.1.1", destination: "10.244.2.1", ...change }, payload);

const outer = (packet: Buffer, change: Partial<Ip> = {}) =>
  ethernet(ipv4Packet({ source: PEER, destination: LOCAL, protocol: 4, ...change }, packet));

describe("the object", () => {
  it("has maps of the shapes that a running tunnel's must have to be adopted", () => {
    for (const name of mapNames) {
      const { id: _id, name: ownName, ...shape } = object.map(name).info;
      assert.equal(ownName, name);
      assert.deepEqual(shape, mapShapes[name]);
    }
  });
});

describe("an object that cannot be used is refused in words:", () => {
  const load = (path: string, classifiers = ["ipip_encap"], maps: readonly string[] = []) =>
    BpfObject.load({ path, classifiers, maps });
  const directory = mkdtempSync(join(tmpdir(), "switchyard-ipip-"));
  after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, bytes: Buffer) => {
    writeFileSync(join(directory, name), bytes);
    return join(directory, name);
  };

  it("one that is not there", () => {
    assert.throws(() => load("/nowhere.bpf.o"), {
      code: "BPF_LOAD_FAILED",
      message: "cannot read the BPF object /nowhere.bpf.o: No such file or directory",
    });
  });

  it("one cut off, and one of noise", () => {
    const whole = readFileSync(objectPath);
    for (const bytes of [whole.subarray(0, 1000), Buffer.alloc(1000, 7), Buffer.alloc(0)]) {
      const path = write("broken.bpf.o", bytes);
      assert.throws(() => load(path), {
        code: "BPF_LOAD_FAILED",
        message: new RegExp(`^cannot read the BPF object ${path}: `),
      });
    }
  });

  it("one without what is asked of it", () => {
    assert.throws(() => load(objectPath, ["absent"]), {
      code: "BPF_LOAD_FAILED",
      message: /has no program absent$/,
    });
    assert.throws(() => load(objectPath, ["ipip_encap"], ["absent"]), {
      code: "BPF_LOAD_FAILED",
      message: /has no map absent$/,
    });
  });

  it("one that the verifier rejects, with the verifier's words", () => {
    const bytes = readFileSync(objectPath);
    // The first instruction behind the ELF header becomes `exit`: all others are out of reach.
    bytes.set([0x95, 0, 0, 0, 0, 0, 0, 0], 64);
    const path = write("rejected.bpf.o", bytes);
    assert.throws(() => load(path), {
      code: "BPF_LOAD_FAILED",
      message: /^the kernel does not load \S+: Invalid argument\nunreachable insn 1\n/,
    });
  });

  it("a key or value of the wrong size, before the kernel reads beyond it", () => {
    const map = object.map("ipip_senders");
    assert.throws(() => map.set(Buffer.alloc(3), Buffer.alloc(4)), {
      code: "INVALID_ARGUMENT",
      message: "BPF map ipip_senders has keys of 4 and values of 4 bytes, not 3 and 4",
    });
    assert.throws(() => map.set(Buffer.alloc(4), Buffer.alloc(3)), { code: "INVALID_ARGUMENT" });
    assert.equal(map.delete(Buffer.alloc(4)), false);
    assert.equal(map.get(Buffer.alloc(4)), undefined);
  });
});

describe("encapsulation", () => {
  it("writes the outer header before the untouched packet", () => {
    const packet = inner({ tos: 0xb8 });
    const { result, data, counted } = run("ipip_encap", ethernet(packet));
    assert.equal(result, REDIRECT);
    assert.deepEqual(counted, ["encapsulated"]);
    assert.deepEqual(decodeIpv4Header(data.subarray(14)), {
      version: 4,
      headerWords: 5,
      tos: 0xb8,
      totalBytes: packet.length + 20,
      dontFragment: true,
      fragment: false,
      ttl: 64,
      protocol: 4,
      checksumGood: true,
      source: LOCAL,
      destination: PEER,
    });
    assert.ok(data.subarray(34).equals(packet));
  });

  const drops = [
    ["no destination covers it", ethernet(inner({ destination: "10.244.2.64" })), "noDestination"],
    [
      "it is IPv6",
      ethernet(Buffer.concat([Buffer.from([0x60]), Buffer.alloc(60)]), 0x86dd),
      "notIpv4",
    ],
  ] as const;
  for (const [why, frame, counter] of drops) {
    it(`drops and counts a packet when ${why}`, () => {
      const { result, counted } = run("ipip_encap", frame);
      assert.deepEqual([result, counted], [SHOT, [counter]]);
    });
  }
});

describe("decapsulation", () => {
  it("gives the inner packet to the tunnel device, by its MAC", () => {
    const packet = inner();
    const { result, data, counted } = run("ipip_decap", outer(packet));
    assert.deepEqual([result, counted], [REDIRECT, ["decapsulated"]]);
    assert.equal(data.subarray(0, 6).toString("hex"), TUNNEL_MAC.replaceAll(":", ""));
    assert.ok(data.subarray(14).equals(packet));
  });

  const passes = [
    ["UDP", ethernet(inner({ destination: LOCAL }))],
    ["for another address", outer(inner(), { destination: "172.139.20.99" })],
    ["with IP options", outer(inner(), { options: Buffer.from([1, 1, 1, 0]) })],
    ["a first fragment", outer(inner(), { fragment: 0x2000 })],
    ["a last fragment", outer(inner(), { fragment: 0x0010 })],
    ["ARP", ethernet(Buffer.alloc(60), 0x0806)],
    ["too short for two headers", outer(inner().subarray(0, 19))],
    ["for another host on the wire", Buffer.concat([Buffer.from([2]), outer(inner()).subarray(1)])],
  ] as const;
  for (const [what, frame] of passes) {
    it(`leaves alone what is ${what}`, () => {
      const { result, data, counted } = run("ipip_decap", frame);
      assert.deepEqual([result, counted], [UNSPEC, []]);
      assert.ok(data.equals(frame));
    });
  }

  const drops = [
    ["its sender is not known", outer(inner(), { source: "172.139.20.77" }), "unknownSender"],
    ["the outer checksum is wrong", outer(inner(), { badChecksum: true }), "errors"],
    ["what is inside is not IPv4", outer(inner({ version: 6 })), "errors"],
    [
      "the outer header says CE and the inner is not ECN-capable",
      outer(inner({ tos: 0 }), { tos: 3 }),
      "errors",
    ],
  ] as const;
  for (const [why, frame, counter] of drops) {
    it(`drops and counts a packet when ${why}`, () => {
      const { result, counted } = run("ipip_decap", frame);
      assert.deepEqual([result, counted], [SHOT, [counter]]);
    });
  }

  it("drops and counts everything for us while it does not accept", () => {
    configure(false);
    const { result, counted } = run("ipip_decap", outer(inner()));
    configure(true);
    assert.deepEqual([result, counted], [SHOT, ["notAccepted"]]);
  });

  // RFC 6040 figure 4: inner codepoint, then the result for each outer Not-ECT, ECT(1), ECT(0), CE.
  const figure4 = [
    [0, ["0", "0", "0", "drop"]],
    [1, ["1", "1", "1", "3"]],
    [2, ["2", "1", "2", "3"]],
    [3, ["3", "3", "3", "3"]],
  ] as const;
  for (const [innerEcn, outerEcn, expected] of figure4.flatMap(([row, cells]) =>
    cells.map((cell, column) => [row, column, cell] as const),
  )) {
    it(`makes of inner ECN ${innerEcn} and outer ECN ${outerEcn}: ${expected}`, () => {
      const { result, data } = run(
        "ipip_decap",
        outer(inner({ tos: 0xb8 | innerEcn }), { tos: outerEcn }),
      );
      if (expected === "drop") return assert.equal(result, SHOT);
      assert.equal(result, REDIRECT);
      const header = decodeIpv4Header(data.subarray(14));
      assert.equal(header.tos, 0xb8 | Number(expected));
      assert.ok(header.checksumGood);
    });
  }
});

describe("any frame", () => {
  const payload = fc.uint8Array({ maxLength: 1400 }).map((bytes) => Buffer.from(bytes));

  it("comes out of encapsulation and decapsulation as it went in", () => {
    fc.assert(
      fc.property(payload, fc.nat(255), fc.nat(63), (bytes, tos, host) => {
        const packet = inner({ tos, destination: `10.244.2.${host}` }, bytes);
        const wire = run("ipip_encap", ethernet(packet));
        assert.equal(wire.result, REDIRECT);
        // The answer way: the peer's outer header, with the addresses the other way round.
        const arrived = Buffer.from(wire.data);
        arrived.set(encodeIpv4(ipv4(PEER)), 26);
        arrived.set(encodeIpv4(ipv4(LOCAL)), 30);
        const back = run("ipip_decap", arrived);
        assert.equal(back.result, REDIRECT);
        assert.ok(back.data.subarray(14).equals(packet));
      }),
    );
  });

  it("is passed unchanged, dropped and counted once, or decapsulated", () => {
    const mutated = fc
      .tuple(payload, fc.array(fc.tuple(fc.nat(53), fc.nat(255)), { maxLength: 4 }), fc.nat(1460))
      .map(([bytes, changes, cut]) => {
        const frame = outer(inner({}, bytes));
        for (const [offset, value] of changes) frame[offset] = value;
        // The kernel itself refuses to run on an IPv4 frame without a whole header.
        return frame.subarray(0, Math.max(34, cut));
      });
    fc.assert(
      fc.property(mutated, (frame) => {
        const { result, data, counted } = run("ipip_decap", frame);
        if (result === UNSPEC) assert.ok(data.equals(frame) && counted.length === 0);
        else if (result === SHOT) assert.ok(counted.length === 1 && counted[0] !== "decapsulated");
        else {
          assert.deepEqual([result, counted], [REDIRECT, ["decapsulated"]]);
          assert.equal(data.length, frame.length - 20);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("that is not ours costs the uplink well under a microsecond", (t) => {
    const frame = outer(inner(), { destination: "172.139.20.99" });
    const program = object.program("ipip_decap");
    const { durationNs } = runBpfProgram(program, frame, { repeat: 100_000 });
    t.diagnostic(`${durationNs} ns`);
    assert.ok(durationNs < 1000);
  });
});
