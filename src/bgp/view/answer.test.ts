/** What `/bgp/…` answers about whole speakers: documents, routes line by line, errors in words. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../../lib/index.ts";
import { A, B, pair, type World } from "../testing/simulated-world.ts";
import { answerBgp, type BgpSource } from "./answer.ts";
import type { PeersDocument, RouteDocument, WhyDocument } from "./documents.ts";

const sourceOf = (world: World): BgpSource => ({
  localAs: 64512,
  routerId: ipv4(A),
  speaker: world.speakers.get(A)!,
  typeOf: (name) => (name === B ? "global" : undefined),
});

function ask(world: World, path: string): { code: number; text: string } {
  const { code, body } = answerBgp(path, sourceOf(world));
  return { code, text: typeof body === "string" ? body : [...body].join("") };
}

function lines(world: World, path: string): RouteDocument[] {
  const { code, text } = ask(world, path);
  assert.equal(code, 200, text);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RouteDocument);
}

const shown = (routes: readonly RouteDocument[]) =>
  routes.map(({ table, prefix, peer, nextHop }) => `${table} ${prefix} ${peer} ${nextHop}`);

describe("answers about BGP", () => {
  it("tell all about the peers, or about one by its name or address", async () => {
    const world = await pair();
    const all = JSON.parse(ask(world, "/bgp/peers").text) as PeersDocument;
    assert.deepEqual([all.localAs, all.routerId, all.peers.length], [64512, A, 1]);
    const [peer] = all.peers;
    assert.deepEqual([peer?.address, peer?.type, peer?.state], [B, "global", "Established"]);
    assert.deepEqual(peer?.routes, { received: 2, accepted: 2, sent: 1, waiting: 0 });
    assert.equal(peer?.session?.routerId, B);
    assert.equal(peer?.session?.localAddress, A);
    assert.ok(peer?.session?.endOfRib);
    assert.match(peer?.since ?? "", /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(JSON.parse(ask(world, `/bgp/peers?peer=${B}`).text), all);
  });

  it("tell who dialled and is no peer, the last eight addresses", async () => {
    const world = await pair();
    const dial = (from: string) => {
      const handlers = {
        onConnect: () => undefined,
        onData: () => undefined,
        onDrain: () => undefined,
        onClose: () => undefined,
      };
      world.network.transport(ipv4(from)).dial({ address: ipv4(A), port: 179 }, handlers);
    };
    for (let host = 1; host <= 10; host++) dial(`10.9.0.${host}`);
    dial("10.9.0.5");
    await world.advance(10);
    const { refused } = JSON.parse(ask(world, "/bgp/peers").text) as PeersDocument;
    assert.equal(refused.total, 11);
    assert.deepEqual(
      refused.recent.map(({ address, count }) => `${address} ${count}`),
      [
        ...["10.9.0.5 2", "10.9.0.10 1", "10.9.0.9 1", "10.9.0.8 1"],
        ...["10.9.0.7 1", "10.9.0.6 1", "10.9.0.4 1", "10.9.0.3 1"],
      ],
    );
  });

  it("tell routes a line each: the best, what came, what was told", async () => {
    const world = await pair();
    assert.deepEqual(shown(lines(world, "/bgp/routes")).sort(), [
      `best 10.2.0.0/26 ${B} ${B}`,
      `best 10.2.1.0/24 ${B} ${B}`,
    ]);
    assert.deepEqual(shown(lines(world, "/bgp/routes?table=in&prefix=10.2.1.0/24")), [
      `in 10.2.1.0/24 ${B} ${B}`,
    ]);
    assert.deepEqual(shown(lines(world, `/bgp/routes?table=out&peer=${B}`)), [
      `out 10.1.0.0/26 ${B} ${A}`,
    ]);
    assert.deepEqual(shown(lines(world, "/bgp/routes?prefix=10.2.1.7&match=covering")), [
      `best 10.2.1.0/24 ${B} ${B}`,
    ]);
    assert.equal(lines(world, "/bgp/routes?prefix=10.2.0.0/16&match=within").length, 2);
    assert.deepEqual(lines(world, "/bgp/routes?prefix=10.3.0.0/16"), []);
  });

  it("tell why a route is the best", async () => {
    const world = await pair();
    const why = JSON.parse(ask(world, "/bgp/why?prefix=10.2.1.0/24").text) as WhyDocument;
    assert.deepEqual(
      why.paths.map(({ peer, verdict, words }) => [peer, verdict, words]),
      [[B, "best", "the best"]],
    );
    const own = JSON.parse(ask(world, "/bgp/why?prefix=10.1.0.0/26").text) as WhyDocument;
    assert.deepEqual([own.originated, own.paths], [true, []]);
  });

  it("tell the last messages with what they say", async () => {
    const world = await pair();
    const { text } = ask(world, `/bgp/messages?peer=${B}`);
    const messages = text
      .split("\n")
      .slice(0, -1)
      .map(
        (line) => JSON.parse(line) as { type: string; words: string; sent: boolean; hex: string },
      );
    const update = messages.find(({ type, sent }) => type === "UPDATE" && !sent);
    assert.equal(update?.words, `+2 10.2.0.0/26, 10.2.1.0/24 via ${B}`);
    assert.match(update?.hex ?? "", /^f{32}0[0-9a-f]{3}02/);
    const open = messages.find(({ type }) => type === "OPEN");
    assert.match(
      open?.words ?? "",
      /^AS 64512, hold time 240 s, identifier 10\.0\.0\.\d; ipv4-unicast,/,
    );
    assert.ok(messages.some(({ words }) => words === "End-of-RIB ipv4-unicast"));
  });

  it("are mistakes in words where the question is one", async () => {
    const world = await pair();
    const mistakes: [string, number, RegExp][] = [
      ["/bgp/nothing", 404, /^paths: \/bgp\/peers/],
      [
        "/bgp/peers?peer=x",
        400,
        /^no BGP peer has the name or the address x: there are 10\.0\.0\.2$/,
      ],
      ["/bgp/routes?table=other", 400, /^table is one of best, in, out, not "other"$/],
      [
        "/bgp/routes?prefix=10.0.0.0/33",
        400,
        /^"10.0.0.0\/33" is neither a prefix nor an address$/,
      ],
      ["/bgp/why", 400, /^"" is neither a prefix/],
      ["/bgp/messages", 400, /^no BGP peer has the name or the address : there are 10\.0\.0\.2$/],
      [`/bgp/messages?peer=${B}&format=x`, 400, /^format is one of json, mrt, pcap/],
    ];
    for (const [path, code, words] of mistakes) {
      const answer = ask(world, path);
      assert.equal(answer.code, code, path);
      assert.match(answer.text.trimEnd(), words, path);
    }
    assert.equal(answerBgp("/bgp/peers", undefined).code, 503);
  });
});
