/** The `bgp` commands against a speaker that answers on a socket, as an agent and bgpd do. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { A, B, pair, SECOND, type World } from "../bgp/testing/simulated-world.ts";
import { answerBgp, sendAnswer } from "../bgp/view/index.ts";
import { ipv4 } from "../lib/index.ts";
import { runWith } from "./testing/session.ts";

const directory = mkdtempSync(join(tmpdir(), "switchyard-bgp-"));
const socket = join(directory, "bgp.sock");
let world: World;

let broken = false;
/** Instead of what the speaker says. */
let said: string | undefined;

const server = createServer((request, response) => {
  if (broken) {
    response.write('{"prefix":"10.');
    setImmediate(() => response.destroy());
    return;
  }
  if (said !== undefined) {
    response.end(said);
    return;
  }
  const source = { localAs: 64512, routerId: ipv4(A), speaker: world.speakers.get(A)! };
  void sendAnswer(response, answerBgp(request.url ?? "", source));
});

before(async () => {
  world = await pair();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
after(async () => {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(directory, { recursive: true });
});

const run = (...args: string[]) =>
  runWith({}, ["bgp", ...args, "--socket", socket], { clock: world.clock });

async function printed(...args: string[]): Promise<string> {
  const { stdout, stderr, status } = await run(...args);
  assert.deepEqual([stderr, status], ["", 0]);
  return stdout;
}

describe("bgp commands", () => {
  it("peers: a row each, all known of them with wide, documents with json", async () => {
    const text = await printed("peers");
    const [head, headings, row] = text.split("\n");
    assert.equal(head, "Local AS 64512, router id 10.0.0.1, 1 of 1 Established");
    assert.match(headings!, /^PEER +NAME +AS +STATE +SINCE +RECEIVED +ACCEPTED +SENT +INFO$/);
    assert.match(row!, /^10\.0\.0\.2 +10\.0\.0\.2 +64512 +Established +[\d:]{8} +2 +2 +1$/);
    const wide = await printed("peers", B, "-o", "wide");
    assert.match(wide, /ROUTER ID +HOLD +HEARD/);
    assert.match(wide, /agreed: 4-octet AS numbers, route refresh/);
    assert.match(wide, /no session has ended/);
    const { peers } = JSON.parse(await printed("peers", "-o", "json"));
    assert.equal(peers[0].session.holdTimeSeconds, 240);
  });

  it("routes: of each table, as rows and as an array", async () => {
    const best = await printed("routes");
    assert.match(best, /^PREFIX +NEXT HOP +PEER +AS PATH +ORIGIN +LOCAL PREF +MED +INFO$/m);
    assert.match(best, /^10\.2\.1\.0\/24 +10\.0\.0\.2 +10\.0\.0\.2 +igp +100$/m);
    assert.match(await printed("routes", "out", "--peer", B), /^10\.1\.0\.0\/26 +10\.0\.0\.1 /m);
    assert.equal((await printed("routes", "10.2.1.9")).trim().split("\n").length, 2);
    const within = JSON.parse(
      await printed("routes", "in", "10.2.0.0/16", "--match", "within", "-o", "json"),
    );
    assert.deepEqual(
      within.map(({ prefix }: { prefix: string }) => prefix),
      ["10.2.0.0/26", "10.2.1.0/24"],
    );
    assert.deepEqual(JSON.parse(await printed("routes", "10.9.0.0/16", "-o", "json")), []);
  });

  it("routes: by prefix where they are few, as they come where they are many", async () => {
    const attributes = { table: "best", peer: "b", nextHop: "10.0.0.2", asPath: [], origin: "igp" };
    const lists = { communities: [], largeCommunities: [], extendedCommunities: [] };
    const answer = (prefixes: readonly string[]) =>
      prefixes
        .map((one) => `${JSON.stringify({ prefix: one, ...attributes, ...lists })}\n`)
        .join("");
    const shown = async (prefixes: readonly string[]) => {
      said = answer(prefixes);
      const text = await printed("routes", "-o", "json").finally(() => {
        said = undefined;
      });
      return JSON.parse(text).map(({ prefix }: { prefix: string }) => prefix);
    };
    const few = ["2001:db8::/32", "10.99.0.0/16", "10.3.0.0/24", "10.3.0.0/16"];
    assert.deepEqual(await shown(few), few.toReversed());
    const many = Array.from({ length: 10_500 }, (_, i) => `10.${255 - (i >> 8)}.${i & 255}.0/24`);
    assert.deepEqual(await shown(many), many);
  });

  it("why: what decided, by prefix or by address; 1 where nothing is known", async () => {
    assert.match(await printed("why", "10.2.1.0/24"), /^best +10\.0\.0\.2 .* the best$/m);
    assert.match(await printed("why", "10.2.1.9"), /^Paths to 10\.2\.1\.0\/24$/m);
    const own = await printed("why", "10.1.0.0/26");
    assert.match(own, /^10\.1\.0\.0\/26 is originated here/);
    assert.match(own, /^Told to 10\.0\.0\.2$/m);
    const learned = await printed("why", "10.2.1.0/24");
    assert.match(learned, /^Not told to 10\.0\.0\.2: learned from it$/m);
    const none = await run("why", "10.77.0.0/16");
    assert.equal(none.status, 1);
    assert.match(none.stdout, /^No peer has told a path to exactly 10\.77\.0\.0\/16\.$/m);
    const { stdout } = await run("why", "10.77.1.1");
    assert.equal(stdout, "No peer has told a route that covers 10.77.1.1.\n");
  });

  it("messages: rows to read, bytes for programs, which no terminal wants", async () => {
    const text = await printed("messages", B);
    assert.match(
      text,
      /received +UPDATE +\d+ +\+2 10\.2\.0\.0\/26, 10\.2\.1\.0\/24 via 10\.0\.0\.2$/m,
    );
    const pcap = Buffer.from(await printed("messages", B, "-o", "pcap"), "latin1");
    assert.equal(pcap.readUInt32BE(0), 0xa1b2c3d4);
    const mrt = Buffer.from(await printed("messages", B, "-o", "mrt"), "latin1");
    assert.equal(mrt.readUInt16BE(4), 17);
    const terminal = { columns: () => 80, rows: () => 24 };
    const args = ["bgp", "messages", B, "-o", "pcap", "--socket", socket];
    const refused = await runWith({}, args, { terminal });
    assert.match(refused.stderr, /^pcap is for programs: redirect it to a file$/m);
    assert.equal(refused.status, 1);
  });

  it("say what is wrong with a question, and where nobody answers", async () => {
    const wrong: [string[], RegExp][] = [
      [["peers", "-o", "yaml"], /unrecognized output format 'yaml': it is one of text, wide, json/],
      [["peers", "nobody"], /no BGP peer has the name or the address nobody/],
      [["peers", "nobody"], /: there are 10\.0\.0\.2$/m],
      [["routes", "inn"], /"inn" is neither best, in or out nor a prefix or an address/],
      [["routes", "y", "10.0.0.0/8"], /"y" is neither best, in or out nor a prefix/],
      [["routes", "--match", "within"], /--match says how a PREFIX is meant, and there is none/],
      [["why"], /accepts 1 arg\(s\), received 0; usage: switchyard bgp why PREFIX/],
    ];
    for (const [args, words] of wrong) {
      const { stderr, status } = await run(...args);
      assert.match(stderr, words);
      assert.equal(status, 1);
    }
    broken = true;
    const cut = await run("routes").finally(() => {
      broken = false;
    });
    assert.match(cut.stderr, /^the answer from .* broke off: /);
    assert.equal(cut.status, 1);
    const nobody = await runWith({}, ["bgp", "peers", "--socket", `${socket}.none`]);
    assert.match(nobody.stderr, /^nobody answers about BGP at .*none: connect ENOENT/);
  });

  it("have help, whose file for bgpd is one", async () => {
    const { stdout } = await runWith({}, ["bgpd", "--help"]);
    const file = join(directory, "least.yaml");
    writeFileSync(file, /fields:\n\n(.*?)\n\n/s.exec(stdout)?.[1] ?? "");
    const checked = await runWith({}, ["bgpd", "-c", file, "--check"]);
    assert.equal(checked.stdout, `${file}: AS 65001, peers: 1, originated routes: 1\n`);
    for (const name of ["peers", "routes", "why", "messages"]) {
      const help = await runWith({}, ["bgp", name, "--help"]);
      assert.match(help.stdout, new RegExp(`^ {2}switchyard bgp ${name} 10\\.`, "m"));
    }
  });

  it("peers -o wide: the history of ends, with times", async () => {
    const handlers = {
      onConnect: () => undefined,
      onData: () => undefined,
      onDrain: () => undefined,
      onClose: () => undefined,
    };
    world.network.transport(ipv4("10.9.0.1")).dial({ address: ipv4(A), port: 179 }, handlers);
    world.kill(B);
    await world.advance(30 * SECOND);
    const wide = await printed("peers", "-o", "wide");
    assert.match(wide, /^ {2}[\d:]{8} after 1s: the peer closed the connection$/m);
    assert.match(wide, /^ {2}[\d:]{8} in Connect, \d+ times since [\d:]{8}: connection refused$/m);
    assert.match(wide, /routes kept for its restart/);
    assert.match(
      wide,
      /^Refused connections from addresses that are no peer's: 1, the last from 10\.9\.0\.1 at /m,
    );
  });
});
