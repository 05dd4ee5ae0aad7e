/** What stands beside a session that is down: why it ended, not only why the last attempt failed. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EndDocument, PeerDocument, PeersDocument } from "../../bgp/view/index.ts";
import { renderPeers } from "./bgp-peers.ts";

const nowMs = Date.parse("2026-11-23T03:00:00Z");
const at = (secondsAgo: number) => new Date(nowMs - secondsAgo * 1000).toISOString();

const none = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 };

const peer: PeerDocument = {
  ...{ name: "tor1", address: "10.0.0.2", port: 179, remoteAs: 65000, localAs: 64512 },
  ...{ passive: false, state: "Active", since: at(60), lastError: "", keptForRestart: false },
  routes: { received: 0, accepted: 0, sent: 0, waiting: 0 },
  messages: { received: none, sent: none },
  ...{ malformed: 0, sessionsEstablished: 1, sessionsEnded: [], history: [] },
};

function end(name: string, more: Partial<EndDocument> = {}): EndDocument {
  return { ...{ at: at(60), times: 1, by: "peer", from: "OpenSent", name, reason: name }, ...more };
}

function text(more: Partial<PeerDocument>, wide = false, configurationError = ""): string {
  const refused = { total: 0, recent: [] };
  const head = { localAs: 64512, routerId: "10.0.0.1", refused };
  const document = { ...head, configurationError, peers: [{ ...peer, ...more }] };
  return renderPeers(document, { wide, nowMs });
}

const info = (more: Partial<PeerDocument>) =>
  /\d{2}:\d{2}:\d{2} +0 +0 +0 *(.*)/.exec(text(more))?.[1];

describe("bgp peers", () => {
  it("says why the session ended beside why the last attempt failed", () => {
    const limit = end("Cease / Maximum Number of Prefixes Reached", { establishedSeconds: 9 });
    const closed = end("connection closed");
    assert.equal(info({ history: [closed] }), "connection closed");
    assert.equal(info({ history: [limit] }), limit.name);
    assert.equal(info({ history: [closed, limit] }), `${limit.name}, then connection closed`);
    const again = end(limit.name);
    assert.equal(info({ history: [again, closed, limit] }), limit.name);
    assert.equal(
      info({ history: [closed, limit], keptForRestart: true }),
      `${limit.name}, then connection closed; routes kept for its restart`,
    );
  });

  it("tells a peer that takes connections and says nothing from one that is slow", () => {
    assert.equal(info({ state: "OpenSent", since: at(2) }), "");
    assert.equal(info({ state: "OpenSent", since: at(20) }), "connected, and no OPEN comes");
  });

  it("names the peer above how its sessions ended", () => {
    assert.match(text({}, true), /\n10\.0\.0\.2 \(tor1\)\n/);
    assert.match(text({ name: "10.0.0.2" }, true), /\n10\.0\.0\.2\n/);
  });

  it("tells of passwords that differ, by what the kernel has dropped", () => {
    const signed = (signatures: NonNullable<PeersDocument["refused"]["signatures"]>) => {
      const refused = { total: 0, recent: [], signatures };
      const document = { localAs: 1, routerId: "10.0.0.1", refused, peers: [peer] };
      return renderPeers(document, { wide: false, nowMs }).split("\n")[1];
    };
    assert.match(signed({ wrong: 0, missing: 0, unexpected: 0 })!, /^PEER/);
    assert.equal(
      signed({ wrong: 7, missing: 0, unexpected: 2 }),
      "Packets dropped for their TCP MD5 signature since the start: 7 of another password, 2 with one where no password is set",
    );
  });

  it("says that the file is not what is done", () => {
    const [, first, second] = text({}, false, "bgpd.yaml: line 3: wrong").split("\n");
    assert.equal(first, "The file was changed and not taken:");
    assert.equal(second, "bgpd.yaml: line 3: wrong");
  });
});
