/** What an operator reads about a session that ended: a sentence per cause, none of them guessed from code. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ipv4 } from "../../lib/index.ts";
import {
  encodeShutdownCommunication,
  hardReset,
  type Notification,
  notification,
  notificationName,
} from "../wire/index.ts";
import { type FsmEvent, type FsmState, step } from "./fsm.ts";
import { negotiate } from "./negotiate.ts";
import { testParameters } from "./testing.ts";
import { noAnswer, receivedWords, tcpFailure } from "./words.ts";

const parameters = { ...testParameters, port: 1790 };

const raw = (code: number, subcode: number, ...data: number[]): Notification => ({
  kind: "notification",
  ...{ code, subcode, data: Uint8Array.from(data) },
});

const received: [Notification, string][] = [
  [raw(1, 2, 0, 5), "Message Header Error / Bad Message Length: length 5"],
  [raw(1, 3, 9), "Message Header Error / Bad Message Type: type 9"],
  [raw(2, 1, 0, 4), "OPEN Message Error / Unsupported Version Number: it speaks version 4"],
  [
    raw(2, 2),
    "OPEN Message Error / Bad Peer AS: we told AS 64512, and have AS 64513 configured for the peer",
  ],
  [raw(2, 3), "OPEN Message Error / Bad BGP Identifier: we told the identifier 192.0.2.1"],
  [raw(2, 6), "OPEN Message Error / Unacceptable Hold Time: we told a hold time of 90 s"],
  [
    raw(2, 7, 1, 4, 0, 2, 0, 1, 65, 4, 0, 0, 0, 1),
    "OPEN Message Error / Unsupported Capability: it misses Multiprotocol Extensions for ipv6-unicast, 4-octet AS number: we told ipv4-unicast",
  ],
  [raw(2, 11), "OPEN Message Error / Role Mismatch: we told no role"],
  [
    raw(3, 5, 0x40, 5, 1, 7),
    "UPDATE Message Error / Attribute Length Error: LOCAL_PREF with flags 0x40, 40 05 01 07",
  ],
  [raw(3, 3, 3), "UPDATE Message Error / Missing Well-known Attribute: NEXT_HOP"],
  [raw(4, 0), "Hold Timer Expired"],
  [raw(5, 3, 1), "Finite State Machine Error / Unexpected Message in Established: OPEN"],
  [
    raw(6, 1, 0, 1, 1, 0, 0, 0, 100),
    "Cease / Maximum Number of Prefixes Reached: at most 100 prefixes of ipv4-unicast",
  ],
  [
    notification("administrativeShutdown", encodeShutdownCommunication("disk")),
    'Cease / Administrative Shutdown: "disk"',
  ],
  [
    hardReset(notification("administrativeShutdown", encodeShutdownCommunication("disk"))),
    'Cease / Hard Reset: Cease / Administrative Shutdown: "disk"',
  ],
  [raw(6, 1, 1, 2), "Cease / Maximum Number of Prefixes Reached: data 01 02"],
  [
    raw(2, 7, 1, 9, 0),
    "OPEN Message Error / Unsupported Capability: data 01 09 00: we told ipv4-unicast",
  ],
  [raw(77, 3), "code 77 subcode 3"],
];

describe("a NOTIFICATION that came, in words", () => {
  for (const [message, words] of received) {
    it(words, () => assert.equal(receivedWords(message, parameters), `received ${words}`));
  }

  it("has some words whatever is in it, of bounded length, and one of a bounded number of names", () => {
    const names = new Set<string>();
    const byte = fc.nat(255);
    fc.assert(
      fc.property(byte, byte, fc.uint8Array({ maxLength: 4075 }), (code, subcode, data) => {
        const message: Notification = { kind: "notification", code, subcode, data };
        const words = receivedWords(message, parameters);
        assert.ok(words.length > 10 && words.length < 2000, words);
        names.add(notificationName(message));
      }),
      { numRuns: 300 },
    );
    const many = raw(2, 7, ...Array.from({ length: 4074 }, (_, at) => (at % 2 === 0 ? 200 : 0)));
    assert.ok(receivedWords(many, parameters).length < 2000);
    for (let pair = 0; pair < 65_536; pair++)
      names.add(notificationName(raw(pair >> 8, pair & 255)));
    assert.ok(names.size < 60, `${names.size} names`);
  });
});

describe("a connection that failed, in words", () => {
  const attempt = { parameters, state: "Connect", password: false } as const;
  const words = (error: string, more: Partial<Parameters<typeof tcpFailure>[1]> = {}) => {
    const { by, reason } = tcpFailure(error, { ...attempt, ...more });
    return `${by}: ${reason}`;
  };

  it("says who closed it and what is likely to be wrong", () => {
    assert.equal(
      words("connect ECONNREFUSED 192.0.2.2:1790"),
      "peer: nobody listens at 192.0.2.2 port 1790 (connect ECONNREFUSED 192.0.2.2:1790)",
    );
    assert.equal(
      words("connect EHOSTUNREACH"),
      "network: no way to 192.0.2.2 port 1790 (connect EHOSTUNREACH)",
    );
    assert.equal(
      words("read ECONNRESET", { state: "Established" }),
      "peer: the peer reset the connection (read ECONNRESET)",
    );
    assert.equal(words("", { state: "Established" }), "peer: the peer closed the connection");
    assert.equal(
      words("", { state: "OpenSent" }),
      "peer: the peer closed the connection before it told anything: it may not have our address configured, or wait after an error",
    );
    assert.equal(
      words("read ETIMEDOUT", { state: "Established" }),
      "network: the peer acknowledged nothing any more (read ETIMEDOUT)",
    );
    assert.equal(
      words("connect EACCES ::1:1790 - Local (:::0)"),
      "network: a firewall on the way, or a prohibit route here, refuses packets to 192.0.2.2 port 1790 (connect EACCES ::1:1790)",
    );
    assert.equal(
      words("SO_BINDTODEVICE: ENODEV", { parameters: { ...parameters, device: "eth7" } }),
      "us: this machine has no device eth7 (SO_BINDTODEVICE: ENODEV)",
    );
    assert.equal(
      words("socket: EMFILE"),
      "us: this process has no file descriptor left (socket: EMFILE)",
    );
    assert.equal(
      words("setsockopt: ENOPROTOOPT"),
      "us: this kernel cannot do what is configured for the peer (setsockopt: ENOPROTOOPT)",
    );
    assert.equal(words("strange"), "network: strange");
    assert.equal(
      words("connect EINVAL 192.0.2.2:1790 - Local (127.0.0.1:41859)"),
      "us: no packet can go from our address to 192.0.2.2 port 1790 (connect EINVAL 192.0.2.2:1790)",
    );
  });

  it("names keys and hops where nothing answers", () => {
    assert.equal(
      noAnswer({ parameters, password: false }).reason,
      "no answer from 192.0.2.2 port 1790: host down; packets filtered; a password wanted there (TCP MD5)?",
    );
    assert.equal(
      noAnswer({ parameters: { ...parameters, minimumTtl: 254 }, password: true }).reason,
      "no answer from 192.0.2.2 port 1790: host down; packets filtered; another password there, or none (TCP MD5); more than 2 hops away (TTL security)?",
    );
  });
});

describe("what this side ends, in words", () => {
  const open = {
    kind: "open",
    as: 64513,
    holdTimeSeconds: 9,
    routerId: ipv4("192.0.2.2"),
  } as const;
  const negotiated = negotiate({ ...open, capabilities: [] }, parameters);
  const established: FsmState = { name: "Established", negotiated };
  const reason = (state: FsmState, event: FsmEvent) => {
    const down = step(state, event, parameters).actions.find(({ kind }) => kind === "down");
    return down?.kind === "down" ? `${down.by} / ${down.name} / ${down.reason}` : "none";
  };

  it("tells how long nothing came before the hold timer expired", () => {
    const expired: FsmEvent = { kind: "timer", timer: "hold", silentMs: 9020 };
    assert.equal(
      reason(established, expired),
      "us / Hold Timer Expired / sent Hold Timer Expired: no whole message came for 9.0 s (hold time 9 s)",
    );
    assert.match(
      reason(established, { ...expired, otherKey: true }),
      /\(hold time 9 s\); our password \(TCP MD5\) was changed since$/,
    );
    assert.equal(
      reason({ name: "OpenSent" }, expired),
      "us / Hold Timer Expired / sent Hold Timer Expired: no OPEN came for 9.0 s (hold time 240 s)",
    );
  });

  it("tells which message was unexpected, and a dial that nothing came back to", () => {
    assert.equal(
      reason({ name: "OpenSent" }, { kind: "update" }),
      "us / Finite State Machine Error / Unexpected Message in OpenSent / sent Finite State Machine Error / Unexpected Message in OpenSent: UPDATE",
    );
    const unanswered = noAnswer({ parameters, password: false });
    const retry: FsmEvent = { kind: "timer", timer: "connect-retry", unanswered };
    assert.match(reason({ name: "Connect" }, retry), /^network \/ no answer \/ no answer from/);
    assert.equal(reason({ name: "Active" }, retry), "none");
  });
});
