/** Single sentences of the standards about sessions, held against a whole speaker by a peer written by hand. */

import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { ipv4 } from "../lib/index.ts";
import { alone, announcement, multiprotocol, openMessage, talk } from "./testing/scripted-peer.ts";
import { A, B, type NodeOptions, SECOND, World } from "./testing/simulated-world.ts";
import {
  type Capability,
  decodeOpen,
  encodeKeepalive,
  encodeNotification,
  notification,
} from "./wire/index.ts";

/** What A sent in NOTIFICATIONs: code, subcode and data in hex; with the length of the message. */
function notifications(world: World): { readonly text: string; readonly length: number }[] {
  const sent = world.speakers
    .get(A)!
    .messages(B)
    .filter((each) => each.sent);
  return sent.flatMap(({ bytes }) => {
    if (bytes[18] !== 3) return [];
    const data = Buffer.from(bytes.subarray(21)).toString("hex");
    const text = `${bytes[19]}/${bytes[20]}${data === "" ? "" : ` ${data}`}`;
    return [{ text, length: bytes.length }];
  });
}

function raw(type: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(19 + body.length).fill(0xff, 0, 16);
  new DataView(message.buffer).setUint16(16, message.length);
  message[18] = type;
  message.set(body, 19);
  return message;
}

const refreshes: readonly Capability[] = [
  { kind: "route-refresh" },
  { kind: "enhanced-route-refresh" },
];
const openWith = (...capabilities: readonly Capability[]) =>
  openMessage({ capabilities: [multiprotocol, ...capabilities] });

async function told(messages: readonly Uint8Array[]): Promise<string> {
  const world = await alone();
  await talk(world, messages);
  return notifications(world)
    .map(({ text }) => text)
    .join(", ");
}

describe("a KEEPALIVE (RFC 4271 section 4.4)", () => {
  it("is never sent within a second of the one before, however short the hold time", async () => {
    const world = await alone({ peers: { [B]: { holdTimeSeconds: 3 } } });
    const { connection } = await talk(world, [openMessage(), encodeKeepalive()]);
    for (let second = 0; second < 40; second++) {
      await world.advance(SECOND);
      connection.write(encodeKeepalive());
    }
    const sent = world.speakers
      .get(A)!
      .messages(B)
      .filter((each) => each.sent);
    const times = sent.filter(({ bytes }) => bytes[18] === 4).map(({ atMs }) => atMs);
    assert.ok(times.length > 30, `${times.length} keepalives`);
    const gaps = times.slice(1).map((time, at) => time - times[at]!);
    assert.ok(Math.min(...gaps) >= SECOND, `${Math.min(...gaps)} ms`);
  });
});

describe("a message in a state that does not expect it (RFC 4271 section 8.2.2, RFC 6608)", () => {
  const badOpen = openMessage();
  badOpen[19] = 3;
  const open = openWith(...refreshes);

  it("is answered by the state, though it cannot be read either", async () => {
    const refresh = raw(5, Uint8Array.of(0, 1, 1, 1, 9));
    assert.equal(await told([refresh]), "5/1 05");
    assert.equal(await told([open, refresh]), "5/2 05");
    assert.equal(await told([raw(2, Uint8Array.of(9, 9, 9, 9))]), "5/1 02");
    assert.equal(await told([open, encodeKeepalive(), badOpen]), "5/3 01");
  });

  it("but for an OPEN that cannot be read in OpenConfirm: its error is told (event 22)", async () => {
    assert.equal(await told([open, badOpen]), "2/1 0004");
  });
});

describe("ROUTE-REFRESH of another length (RFC 7313 section 5)", () => {
  const enhanced = [openWith(...refreshes), encodeKeepalive()];
  const plain = [openWith(refreshes[0]!), encodeKeepalive()];

  it("is an error of its own where Enhanced Route Refresh was told", async () => {
    for (const body of [[0, 1, 1], [0, 1, 1, 1, 9], [0]]) {
      const message = raw(5, Uint8Array.from(body));
      const data = Buffer.from(message).toString("hex");
      assert.equal(await told([...enhanced, message]), `7/1 ${data}`);
    }
  });

  it("is a bad message length where it was not", async () => {
    assert.equal(await told([...plain, raw(5, Uint8Array.of(0, 1, 1))]), "1/2 0016");
    assert.equal(await told([...plain, raw(5, Uint8Array.of(0, 1, 1, 1, 9))]), "1/2 0018");
  });

  it("is answered with as much of it as a message has room for", async () => {
    const extended = [openWith(...refreshes, { kind: "extended-message" }), encodeKeepalive()];
    for (const [begin, length, most] of [
      [enhanced, 4096, 4096],
      [extended, 60_000, 60_021],
      [extended, 65_535, 65_535],
    ] as const) {
      const world = await alone();
      const speaker = world.speakers.get(A)!;
      speaker.configure({ ...world.config(A, [B], passive), keptMessageBytes: 1e6 });
      await talk(world, [...begin, raw(5, new Uint8Array(length - 19))]);
      const [sent] = notifications(world);
      assert.match(sent!.text, /^7\/1 f{32}/);
      assert.equal(sent!.length, most);
      const { bytes } = speaker.details(B)[0]!.sent;
      assert.ok(bytes >= most && bytes < most + 200, `${bytes} bytes sent`);
    }
  });
});

const passive: NodeOptions = { peers: { [B]: { passive: true } } };

describe("extended messages (RFC 8654)", () => {
  const long = raw(3, new Uint8Array(5000).fill(6));

  it("are taken from the peer's OPEN on: a NOTIFICATION may be one before Established", async () => {
    const world = await alone();
    await talk(world, [openWith({ kind: "extended-message" }), long]);
    assert.deepEqual(notifications(world), []);
    assert.match(world.speakers.get(A)!.peers()[0]!.lastError, /^received Cease/);
  });

  it("are a bad message length from a peer that did not tell them, in any state", async () => {
    assert.equal(await told([openWith(), long]), "1/2 139b");
    assert.equal(await told([openWith(), encodeKeepalive(), long]), "1/2 139b");
    assert.equal(await told([long]), "1/2 139b");
  });

  it("are neither OPEN nor KEEPALIVE", async () => {
    const begin = [openWith({ kind: "extended-message" }), encodeKeepalive()];
    assert.equal(await told([...begin, raw(1, new Uint8Array(5000))]), "1/2 139b");
    assert.equal(await told([...begin, raw(4, new Uint8Array(5000))]), "1/2 139b");
  });
});

describe("a peer that knows no capabilities at all (RFC 5492 section 3)", () => {
  const refusal = encodeNotification(notification("unsupportedOptionalParameter"));
  const begin = [openMessage({ capabilities: [] }), encodeKeepalive()];
  const opens = (world: World) =>
    world.speakers
      .get(A)!
      .messages(B)
      .filter(({ sent, bytes }) => sent && bytes[18] === 1)
      .map(({ bytes }) => (decodeOpen(bytes).capabilities.length > 0 ? "with" : "without"));

  it("gets an OPEN without them next, and a session that needs none", async () => {
    const world = await alone();
    await talk(world, [refusal]);
    assert.match(
      world.speakers.get(A)!.peers()[0]!.lastError,
      /^received OPEN .*Unsupported Optional Parameter: the next OPEN goes without capabilities$/,
    );
    await talk(world, [...begin, announcement(["10.9.9.0/24"])]);
    assert.deepEqual(opens(world), ["with", "without"]);
    assert.deepEqual(world.routes(A), ["10.9.9.0/24"]);
  });

  it("gets it also where it is dialled", async () => {
    const world = new World();
    const answers = [[refusal], begin];
    const ignore = { onConnect: () => undefined, onDrain: () => undefined };
    await world.network.transport(ipv4(B)).listen({ port: 179, passwords: new Map() }, (peer) => {
      peer.setHandlers({ ...ignore, onData: () => undefined, onClose: () => undefined });
      for (const message of answers.shift() ?? []) peer.write(message);
    });
    await world.start(A, [B]);
    await world.advance(5 * SECOND);
    assert.deepEqual(opens(world), ["with", "without"]);
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("is told them again after that, whatever became of it", async () => {
    const world = await alone();
    await talk(world, [refusal]);
    const { connection } = await talk(world, begin);
    connection.destroy();
    await world.advance(SECOND);
    await talk(world, []);
    await talk(world, [refusal]);
    await talk(world, [refusal]);
    await talk(world, []);
    assert.deepEqual(opens(world), ["with", "without", "with", "with", "without", "with"]);
  });

  it("and tells some itself: what one side alone told is not agreed on", async () => {
    const world = await alone();
    await talk(world, [refusal]);
    await talk(world, [openWith(...refreshes, { kind: "four-octet-as", as: 64512 }), begin[1]!]);
    const { state, session } = world.speakers.get(A)!.details(B)[0]!;
    assert.equal(state, "Established");
    assert.deepEqual(session?.capabilities, []);
  });

  it("is of no use where IPv4 is not wanted: that needs a capability", async () => {
    const world = await alone({ peers: { [B]: { families: ["ipv6-unicast"] } } });
    await talk(world, [refusal]);
    assert.doesNotMatch(world.speakers.get(A)!.peers()[0]!.lastError, /next OPEN/);
    await talk(world, []);
    assert.deepEqual(opens(world), ["with", "with"]);
  });
});

describe("a connection that is not taken (RFC 5082 section 3)", () => {
  it("is told of, and says nothing of the session that stands beside it", async () => {
    const world = await alone();
    const { connection } = await talk(world, [openMessage(), encodeKeepalive()]);
    const far = mock.method(Object.getPrototypeOf(connection), "configure", () => {
      throw new Error("from far away");
    });
    await talk(world, []);
    far.mock.restore();
    const { state, lastError, ends } = world.speakers.get(A)!.details(B)[0]!;
    assert.deepEqual([state, lastError], ["Established", ""]);
    assert.deepEqual(
      ends.map(({ from, reason }) => `${from}: ${reason}`),
      ["Active: from far away"],
    );
  });
});
