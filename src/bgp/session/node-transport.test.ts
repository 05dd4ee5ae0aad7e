/** Real sockets on loopback: RFC 2385 keys, RFC 5082, listening places, source addresses. */

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import {
  errorText,
  formatAddress,
  type IpAddress,
  ipAddress,
  systemClock,
} from "../../lib/index.ts";
import { nodeTransport } from "./node-transport.ts";
import type { Connection, DialOptions, Listener, ListenOptions, Passwords } from "./transport.ts";

const PORT = 21179;
const open = new Set<{ close(): void }>();

afterEach(() => {
  for (const each of open) each.close();
  open.clear();
});

const none: Passwords = new Map();

async function listen(
  options: Partial<ListenOptions> & { readonly passwords?: Passwords },
  onConnection: (connection: Connection) => void = echo,
): Promise<Listener> {
  const made = await nodeTransport.listen(
    { port: PORT, passwords: none, ...options },
    onConnection,
  );
  open.add(made);
  return made;
}

/** Sends back what comes. */
function echo(connection: Connection): void {
  open.add({ close: () => connection.destroy() });
  connection.setHandlers({
    onConnect: () => undefined,
    onData: (chunk) => void connection.write(chunk),
    onDrain: () => undefined,
    onClose: () => undefined,
  });
}

interface Talk {
  readonly connection: Connection;
  /** Sends a byte and tells whether it came back within the time. */
  answers(waitMs?: number): Promise<boolean>;
}

/** `undefined`: no connection within the time; a text: why it failed. */
async function dial(
  options: Partial<DialOptions>,
  waitMs = 300,
): Promise<Talk | string | undefined> {
  let heard: () => void = () => undefined;
  const outcome = await new Promise<Connection | string | undefined>((resolve) => {
    const connection = nodeTransport.dial(
      { address: ipAddress("127.0.9.1"), port: PORT, ...options },
      {
        onConnect: () => resolve(connection),
        onData: () => heard(),
        onDrain: () => undefined,
        onClose: (reason) => resolve(reason),
      },
    );
    open.add({ close: () => connection.destroy() });
    systemClock.schedule(waitMs, () => resolve(undefined));
  });
  if (outcome === undefined || typeof outcome === "string") return outcome;
  const answers = (answerMs = 300) =>
    new Promise<boolean>((resolve) => {
      heard = () => resolve(true);
      systemClock.schedule(answerMs, () => resolve(false));
      outcome.write(Uint8Array.of(1));
    });
  return { connection: outcome, answers };
}

async function connected(options: Partial<DialOptions>): Promise<Talk> {
  const made = await dial(options, 5000);
  assert.ok(typeof made === "object", `${made}`);
  return made;
}

for (const { family, server, client } of [
  { family: "IPv4", server: "127.0.9.1", client: "127.0.9.2" },
  { family: "IPv6", server: "::1", client: "::1" },
]) {
  const address = ipAddress(server);
  const from = { address, localAddress: ipAddress(client) };
  const keys = (password: string): Passwords => new Map([[ipAddress(client), password]]);

  describe(`TCP MD5, ${family}`, () => {
    it("connects with the right key, with a wrong one or none it gets no answer at all", async () => {
      await listen({ addresses: [address], passwords: keys("right") });
      const talk = await connected({ ...from, password: "right" });
      assert.equal(await talk.answers(5000), true);
      assert.equal(await dial({ ...from, password: "wrong" }), undefined);
      assert.equal(await dial(from), undefined);
    });

    it("a signed connection to a listener without a key gets no answer", async () => {
      await listen({ addresses: [address] });
      assert.equal(await dial({ ...from, password: "right" }), undefined);
      assert.equal(await (await connected(from)).answers(5000), true);
    });

    it("the listener's keys can be replaced, added and taken away", async () => {
      const listener = await listen({ addresses: [address] });
      listener.setPasswords(keys("one"));
      await connected({ ...from, password: "one" });
      listener.setPasswords(keys("two"));
      assert.equal(await dial({ ...from, password: "one" }), undefined);
      await connected({ ...from, password: "two" });
      listener.setPasswords(none);
      await connected(from);
      // Nothing to take away any more.
      listener.setPasswords(none);
    });

    it("a connection changes its key at both ends and lives on", async () => {
      let accepted: Connection | undefined;
      await listen({ addresses: [address], passwords: keys("one") }, (connection) => {
        accepted = connection;
        echo(connection);
      });
      const talk = await connected({ ...from, password: "one" });
      assert.equal(await talk.answers(5000), true);
      talk.connection.configure({ password: "two" });
      // What this end sends now is not taken, and sent again until it is.
      const answered = talk.answers(10_000);
      await new Promise<void>((resolve) => systemClock.schedule(100, resolve));
      accepted?.configure({ password: "two" });
      assert.equal(await answered, true);
      for (const end of [talk.connection, accepted]) end?.configure({});
      assert.equal(await talk.answers(10_000), true, "without a key");
    });
  });

  describe(`TTL security, ${family}`, () => {
    it("hears a peer whose packets start with 255, and does not listen to others at all", async () => {
      const refused: string[] = [];
      await listen({ addresses: [address] }, (connection) => {
        try {
          connection.configure({ ttl: 255, minimumTtl: 255 });
          echo(connection);
        } catch (error) {
          refused.push(errorText(error));
          connection.destroy();
        }
      });
      const near = await connected({ ...from, ttl: 255, minimumTtl: 255 });
      assert.equal(await near.answers(5000), true);
      assert.deepEqual(refused, []);
      const far = await connected({ ...from, ttl: 254 });
      assert.equal(await far.answers(), false);
      assert.match(
        refused[0]!,
        /came with time to live 254; TTL security .* asks for 255 at least/,
      );
    });

    it("holds for all that a peer sends, not only for the first packet", async () => {
      await listen({ addresses: [address] }, (connection) => {
        connection.configure({ ttl: 255, minimumTtl: 255 });
        echo(connection);
      });
      const peer = await connected({ ...from, ttl: 255 });
      assert.equal(await peer.answers(5000), true);
      peer.connection.configure({ ttl: 254 });
      assert.equal(await peer.answers(), false);
    });

    it("of this side drops what comes from far away", async () => {
      await listen({ addresses: [address] }, (connection) => {
        connection.configure({ ttl: 254 });
        echo(connection);
      });
      const talk = await connected({ ...from, minimumTtl: 255 });
      assert.equal(await talk.answers(), false);
      assert.equal(await (await connected({ ...from, minimumTtl: 254 })).answers(5000), true);
    });
  });
}

describe("listening", () => {
  it("on every address takes both families, each connection with its plain address", async () => {
    const seen: IpAddress[] = [];
    await listen({}, ({ remoteAddress }) => void seen.push(remoteAddress));
    await connected({ address: ipAddress("127.0.9.1"), localAddress: ipAddress("127.0.9.7") });
    await connected({ address: ipAddress("::1") });
    assert.deepEqual(seen.map(formatAddress), ["127.0.9.7", "::1"]);
  });

  it("on chosen addresses takes no connection to others", async () => {
    await listen({ addresses: [ipAddress("127.0.9.1"), ipAddress("127.0.9.3")] });
    await connected({ address: ipAddress("127.0.9.3") });
    const refused = await dial({ address: ipAddress("127.0.9.4") }, 5000);
    assert.match(`${refused}`, /ECONNREFUSED/);
  });

  it("on a device takes only what comes in by it", async (t) => {
    if (process.getuid?.() !== 0) return t.skip("SO_BINDTODEVICE needs root");
    await listen({ addresses: [ipAddress("127.0.9.1")], device: "lo" });
    await connected({ address: ipAddress("127.0.9.1"), device: "lo" });
    await assert.rejects(
      listen({ addresses: [ipAddress("127.0.9.5")], device: "no-such-dev" }),
      /cannot listen for BGP on 127\.0\.9\.5 port 21179 on no-such-dev: .*No such device/,
    );
    assert.throws(
      () =>
        nodeTransport.dial(
          { address: ipAddress("127.0.9.1"), port: PORT, device: "no-such" },
          {} as never,
        ),
      /No such device/,
    );
  });

  it("can be given up and begun again at once", async () => {
    const first = await listen({ addresses: [ipAddress("127.0.9.1")] });
    first.close();
    await listen({ addresses: [ipAddress("127.0.9.1")] });
    await connected({});
  });

  it("fails as a whole where one address cannot be had", async () => {
    const addresses = [ipAddress("127.0.9.1"), ipAddress("192.0.2.1")];
    await assert.rejects(listen({ addresses }), /cannot listen for BGP on 192\.0\.2\.1 port 21179/);
    await listen({ addresses: addresses.slice(0, 1) });
  });
});
