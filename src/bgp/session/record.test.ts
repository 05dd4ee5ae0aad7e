/** What is kept of a peer through many connections, and of those that this side turns away. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, ipv4 } from "../../lib/index.ts";
import { AttributeTable, encodeKeepalive, encodeOpen } from "../wire/index.ts";
import type { Down } from "./fsm-types.ts";
import type { SessionParameters } from "./parameters.ts";
import { PeerSession } from "./peer-session.ts";
import { SessionRecord } from "./record.ts";
import type { Connection, Transport } from "./transport.ts";

const open = encodeOpen({
  ...{ kind: "open", as: 64512, holdTimeSeconds: 9, routerId: ipv4("192.0.2.2") },
  capabilities: [],
});
const usual = {
  ...{ fourOctetAs: false, extendedNextHop: false, addPathReceive: [], addPathSend: [] },
};
const down = (reason: string): Down => ({
  ...{ cause: "tcp", by: "peer", name: "connection closed", restartable: true, reason },
});

describe("the record of a peer", () => {
  it("knows of each kept message how it went, after thousands of connections", async () => {
    const clock = new FakeClock();
    const record = new SessionRecord(clock, 16 * 1024);
    for (let i = 0; i < 5000; i++) {
      const connection = record.connected(i % 2 === 0, ipv4("192.0.2.1"));
      record.onReceived(connection, open);
      record.agreed(connection, usual);
      record.onSent(connection, encodeKeepalive());
      await clock.advance(1);
    }
    const messages = record.messages();
    assert.ok(messages.length > 150, `${messages.length} kept`);
    for (const { connection, sent } of messages) {
      assert.equal(connection.incoming, connection.id % 2 === 1);
      assert.equal(connection.reading.fourOctetAs, false);
      assert.equal(typeof sent, "boolean");
    }
    assert.equal(messages.at(-1)?.connection.id, 5000);
    assert.deepEqual([record.received.open, record.sent.keepalive], [5000, 5000]);
  });

  it("counts messages that are sent several at a time one by one", () => {
    const record = new SessionRecord(new FakeClock(), 16 * 1024);
    const connection = record.connected(false, undefined);
    record.onSent(connection, Buffer.concat([open, encodeKeepalive(), encodeKeepalive()]));
    assert.deepEqual([record.sent.open, record.sent.keepalive], [1, 2]);
    assert.equal(record.sent.bytes, open.length + 38);
    assert.deepEqual(
      record.messages().map(({ bytes }) => bytes[18]),
      [1, 4, 4],
    );
  });

  it("has one entry for attempts that fail alike, and one for each session that ends", async () => {
    const clock = new FakeClock();
    const record = new SessionRecord(clock, 0);
    for (const reason of ["a", "b", "a", "a"]) {
      record.onEnd(down(reason), "Connect", undefined);
      await clock.advance(1000);
    }
    record.onEnd(down("a"), "Established", 5);
    record.onEnd(down("a"), "Established", 5);
    assert.deepEqual(
      record.ends.map(({ reason, times, from, atMs, firstMs }) => [
        reason,
        times,
        from,
        atMs - firstMs,
      ]),
      [
        ["a", 1, "Established", 0],
        ["a", 1, "Established", 0],
        ["a", 3, "Connect", 3000],
        ["b", 1, "Connect", 0],
      ],
    );
    assert.deepEqual(record.endCounts, [{ by: "peer", name: "connection closed", count: 2 }]);
  });

  it("tells of a connection that this side turned away", () => {
    const clock = new FakeClock();
    const record = new SessionRecord(clock, 0);
    const parameters = {
      ...{ address: ipv4("192.0.2.2"), passive: true, connectRetrySeconds: 5 },
      restartTimeSeconds: 0,
    } as SessionParameters;
    const session = new PeerSession({
      ...{ clock, parameters, record, table: new AttributeTable(), transport: {} as Transport },
      restarted: () => false,
      handlers: {
        onEstablished: () => undefined,
        onDown: () => undefined,
        onUpdate: () => undefined,
        onRouteRefresh: () => undefined,
        onDrain: () => undefined,
        onStatus: () => undefined,
        congested: () => false,
      },
    });
    session.start();
    const far = {
      configure: () => {
        throw new Error("came with time to live 64");
      },
    } as unknown as Connection;
    assert.throws(() => session.accept(far), /time to live 64/);
    const [end] = record.ends;
    assert.deepEqual(
      [end?.by, end?.name, end?.from, end?.reason],
      ["us", "connection refused by us", "Active", "came with time to live 64"],
    );
    assert.equal(session.lastError, "came with time to live 64");
  });
});
