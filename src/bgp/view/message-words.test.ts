/** A line for any message that a peer may have sent, also for one that ended its session. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ipv4, prefix } from "../../lib/index.ts";
import {
  encodeAnnounce,
  encodeAttributes,
  encodeNotification,
  encodeRouteRefresh,
  encodeWithdraw,
  keyOfPrefix,
  notification,
} from "../wire/index.ts";
import { messageDocument } from "./message-words.ts";

const reading = {
  ...{ fourOctetAs: true, extendedNextHop: false, addPathReceive: [], addPathSend: [] },
};
const connection = { id: 1, incoming: true, reading };
const words = (bytes: Uint8Array) =>
  messageDocument({ atMs: 0, sent: false, connection, bytes }).words;

const keys = (...texts: string[]) => texts.map((text) => keyOfPrefix(prefix(text)));

describe("words of a message", () => {
  it("name the first prefixes, the next hop and the path", () => {
    const asPath = [{ kind: "sequence" as const, asns: [65001, 4200000000] }];
    const attributes = { origin: "igp" as const, asPath, nextHop: ipv4("10.0.0.2") };
    const [update] = encodeAnnounce({
      family: "ipv4-unicast",
      attributes: encodeAttributes(attributes, { fourOctetAs: true }),
      nextHop: attributes.nextHop,
      keys: keys("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16"),
      maximumBytes: 4096,
    });
    assert.equal(
      words(update!),
      "+5 10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, 10.4.0.0/16, and 1 more via 10.0.0.2 path 65001 4200000000",
    );
  });

  it("name what goes, what is asked for, and what is wrong", () => {
    const gone = { family: "ipv4-unicast" as const, keys: keys("10.1.0.0/16"), maximumBytes: 4096 };
    assert.equal(words(encodeWithdraw(gone)[0]!), "-1 10.1.0.0/16");
    const refresh = encodeRouteRefresh({ afi: 2, safi: 1, subtype: "request" });
    assert.equal(words(refresh), "request ipv6-unicast");
    assert.equal(words(encodeNotification(notification("holdTimerExpired"))), "Hold Timer Expired");
  });

  it("are a bounded line whatever the message is", () => {
    const message = fc
      .tuple(fc.uint8Array({ minLength: 29, maxLength: 600 }), fc.integer({ min: 1, max: 6 }))
      .map(([bytes, type]) => bytes.map((byte, at) => (at < 16 ? 255 : at === 18 ? type : byte)));
    fc.assert(
      fc.property(message, (bytes) => {
        const text = words(bytes);
        assert.ok(text.length <= 401, text);
        assert.doesNotMatch(text, /\p{Cc}/u);
      }),
      { numRuns: 2000 },
    );
  });
});
