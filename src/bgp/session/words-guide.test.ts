/** Whoever reads why a session ended finds it in the guide: every reason there can be has a row there. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import type { SessionState } from "../types.ts";
import {
  explainNotification,
  type NotificationName,
  notification,
  notificationCode,
  notificationName,
} from "../wire/index.ts";
import { type FsmState, step } from "./fsm.ts";
import { testParameters } from "./testing.ts";
import { noAnswer, receivedWords, tcpFailure } from "./words.ts";

const guide = resolve(import.meta.dirname, "../../../docs/guides/bgp-session-down.md");

/** What stands in code quotes in the first column of "What it means"; capitals and dots stand for anything. */
function phrases(): RegExp[] {
  const text = readFileSync(guide, "utf8");
  const section = /^## 2\. .*?(?=^## 3\. )/ms.exec(text)?.[0] ?? assert.fail("no section 2");
  const cells = section.split("\n").flatMap((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? []);
  const quoted = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, each]) => each!));
  return quoted.map((phrase) => {
    const literal = phrase.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    return new RegExp(
      literal.replaceAll(/…|\b(ADDRESS|PORT|FAMILY|FIELDS|DEVICE|N|X|Y|TYPE)\b/g, ".*"),
    );
  });
}

const known = phrases();

function assertExplained(reason: string): void {
  assert.ok(
    known.some((phrase) => phrase.test(reason)),
    `nothing in the guide says what to do about: ${reason}`,
  );
}

describe("the guide knows", () => {
  it("more than a few phrases", () => assert.ok(known.length > 30, `${known.length}`));

  it("every NOTIFICATION that this side sends", () => {
    for (const name of Object.keys(notificationCode) as NotificationName[]) {
      const silence =
        name === "holdTimerExpired" ? ": no whole message came for 9.0 s (hold time 9 s)" : "";
      assertExplained(`sent ${explainNotification(notification(name))}${silence}`);
    }
  });

  it("every NOTIFICATION that a peer may send", () => {
    const seen = new Set<string>();
    for (let code = 1; code <= 9; code++) {
      for (let subcode = 0; subcode < 16; subcode++) {
        const message = { kind: "notification", code, subcode, data: new Uint8Array(0) } as const;
        const name = notificationName(message);
        // Cease alone says nothing, and stands there without quotes: as a phrase it would match all of them.
        if (seen.has(name) || name === "Cease") continue;
        seen.add(name);
        assertExplained(receivedWords(message, testParameters));
      }
    }
    assert.ok(seen.size > 40, `${seen.size} names`);
  });

  it("every way in which TCP fails", () => {
    const errors = ["", "ECONNREFUSED", "ECONNRESET", "EPIPE", "EHOSTUNREACH", "ENETUNREACH"];
    errors.push(
      "ETIMEDOUT",
      "EINVAL",
      "EADDRNOTAVAIL",
      "EACCES",
      "ENODEV",
      "EMFILE",
      "ENOPROTOOPT",
    );
    for (const error of errors) {
      for (const state of ["Connect", "OpenSent", "Established"] satisfies SessionState[]) {
        const attempt = { parameters: testParameters, state, password: false };
        assertExplained(tcpFailure(error && `connect ${error}`, attempt).reason);
      }
    }
    assertExplained(noAnswer({ parameters: testParameters, password: true }).reason);
  });

  it("what else the state machine has to say", () => {
    const delaying: FsmState = { name: "Active", delaying: true };
    const events = [
      [delaying, { kind: "update" }],
      [{ name: "OpenSent" }, { kind: "replaced" }],
      [{ name: "OpenSent" }, { kind: "stop", why: "this speaker stops" }],
      [{ name: "OpenSent" }, { kind: "stop", why: "no longer configured" }],
      [{ name: "OpenSent" }, { kind: "stop", why: "configuration changed (ttl)" }],
    ] as const;
    for (const [state, event] of events) {
      const down = step(state, event, testParameters).actions.find(({ kind }) => kind === "down");
      assertExplained(down?.kind === "down" ? down.reason : assert.fail("not down"));
    }
  });
});
