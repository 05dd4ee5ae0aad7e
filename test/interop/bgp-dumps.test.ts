/**
 * Dumps of a peer's last messages, read by programs that did not come from here: tcpdump, and the two
 * MRT readers that Debian has.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { A, B, pair, SECOND, type World } from "../../src/bgp/testing/simulated-world.ts";
import { answerBgp } from "../../src/bgp/view/index.ts";
import { ipv4 } from "../../src/lib/index.ts";

const directory = mkdtempSync(join(tmpdir(), "switchyard-dumps-"));
after(() => rmSync(directory, { recursive: true }));

/** Debian's, which has Debian's modules; another may stand before it on the PATH. */
const python = "/usr/bin/python3";

function missing(...programs: string[]): string | false {
  const lacking = programs.filter((program) => {
    try {
      execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
  return lacking.length > 0 && `not installed: ${lacking.join(", ")}`;
}

function dump(world: World, format: "pcap" | "mrt"): string {
  const source = { localAs: 64512, routerId: ipv4(A), speaker: world.speakers.get(A)! };
  const { code, body } = answerBgp(`/bgp/messages?peer=${B}&format=${format}`, source);
  assert.equal(code, 200);
  const path = join(directory, format);
  writeFileSync(path, Buffer.concat([...(body as Iterable<Uint8Array>)]));
  return path;
}

/** A session with routes both ways, and its end. */
async function life(): Promise<World> {
  const world = await pair();
  await world.advance(90 * SECOND);
  await world.speakers.get(B)!.stop({ notify: true, message: "goodbye" });
  await world.advance(SECOND);
  return world;
}

const read = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

describe("dumps of messages", () => {
  it("are packets to tcpdump, with checksums that are right", {
    skip: missing("tcpdump"),
  }, async () => {
    const text = read("tcpdump", "-nn", "-vv", "-r", dump(await life(), "pcap"));
    for (const words of [
      ...["Open Message (1)", "Update Message (2)", "Keepalive Message (4)"],
      ...["Notification Message (3)", "Cease (6)", "my AS 64512", "10.2.1.0/24", "10.1.0.0/26"],
      "End-of-Rib Marker",
    ]) {
      assert.ok(text.includes(words), `${words} in\n${text}`);
    }
    assert.match(text, /10\.0\.0\.2\.\d+ > 10\.0\.0\.1\.179|10\.0\.0\.2\.179 > 10\.0\.0\.1\.\d+/);
    assert.doesNotMatch(text, /incorrect|bad cksum|invalid|\[\|bgp\]/);
    const packets = text.match(/Flags \[P\.\], cksum 0x[0-9a-f]+ \(correct\)/g);
    assert.ok(packets && packets.length > 10, text);
  });

  it("are records to bgpdump", { skip: missing("bgpdump") }, async () => {
    const text = read("bgpdump", "-m", dump(await life(), "mrt"));
    assert.match(
      text,
      /^BGP4MP_ET\|\d+\.\d+\|A\|10\.0\.0\.2\|64512\|10\.2\.1\.0\/24\|\|IGP\|10\.0\.0\.2\|/m,
    );
  });

  it("are records to mrtparse, less the microseconds", { skip: noMrtparse() }, async () => {
    const world = await life();
    const path = dump(world, "mrt");
    writeFileSync(path, withoutMicroseconds(readFileSync(path)));
    const script = `
import sys
from mrtparse import Reader
for entry in Reader(sys.argv[1]):
    mrt = entry.mrt
    print(mrt.err, mrt.type, mrt.subtype, mrt.bgp.msg.type)
`;
    const lines = read(python, "-c", script, path).trim().split("\n");
    assert.equal(lines.length, world.speakers.get(A)!.messages(B).length);
    // BGP4MP: MESSAGE_AS4 (4) and its LOCAL (7); OPEN, UPDATE, NOTIFICATION, KEEPALIVE.
    const seen = new Set(lines);
    for (const words of ["4 1", "7 1", "4 2", "7 2", "4 3", "4 4", "7 4"]) {
      assert.ok(seen.has(`None 16 ${words}`), `${words} in ${lines.join("\n")}`);
    }
    assert.deepEqual(
      lines.filter((line) => !line.startsWith("None 16 ")),
      [],
    );
  });
});

/** Debian's mrtparse 1.6 fails at the microseconds of every BGP4MP_ET record: it gets BGP4MP. */
function withoutMicroseconds(dumped: Buffer): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < dumped.length; ) {
    const length = dumped.readUInt32BE(at + 8);
    const head = Buffer.from(dumped.subarray(at, at + 12));
    head.writeUInt16BE(16, 4);
    head.writeUInt32BE(length - 4, 8);
    records.push(head, dumped.subarray(at + 16, at + 12 + length));
    at += 12 + length;
  }
  return Buffer.concat(records);
}

function noMrtparse(): string | false {
  try {
    execFileSync(python, ["-c", "import mrtparse"], { stdio: "ignore" });
    return false;
  } catch {
    return "not installed: python3-mrtparse";
  }
}
