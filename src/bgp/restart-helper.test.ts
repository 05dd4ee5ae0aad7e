/**
 * The helper against a plain account of what RFC 4724, 7313, 8538 and 9494 have a peer's routes do: random
 * lives of a peer, with and without a moment between two events for what is done in slices.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { FakeClock, ipv4 } from "../lib/index.ts";
import { RestartHelper } from "./restart-helper.ts";
import { AdjRibIn, makePath, type Path, type PrefixNumber } from "./rib/index.ts";
import { testNumber, testSource } from "./rib/testing.ts";
import type { Negotiated } from "./session/index.ts";
import { Slices } from "./slices.ts";

const FAMILY = "ipv4-unicast" as const;
const STALE_PATH = 100;
const identity = { as: 1, routerId: ipv4("192.0.2.1"), clusterId: ipv4("192.0.2.1") };
const attributes = { origin: "igp", asPath: [], nextHop: ipv4("192.0.2.9") } as const;

/** What one OPEN of the peer says; seconds. */
interface Said {
  /** Graceful restart; -1: not at all. */
  readonly restart: number;
  readonly forwarding: boolean;
  readonly notification: boolean;
  /** Long-lived; -1: not at all. */
  readonly stale: number;
}

function negotiated({ restart, forwarding, notification, stale }: Said): Negotiated {
  const families = [FAMILY];
  return {
    ...{ peerType: "ibgp", peerRouterId: ipv4("192.0.2.9"), holdTimeSeconds: 0 },
    ...{ keepaliveSeconds: 0, families, fourOctetAs: true, routeRefresh: true },
    ...{ enhancedRouteRefresh: true, extendedMessage: false, extendedNextHop: false },
    ...{ addPathReceive: [], addPathSend: [] },
    ...(restart < 0
      ? {}
      : {
          gracefulRestart: {
            ...{ restarted: true, restartTimeSeconds: restart, notification, families },
            forwarding: forwarding ? families : [],
          },
        }),
    ...(restart < 0 || stale < 0
      ? {}
      : { longLivedRestart: [{ family: FAMILY, forwarding, staleTimeSeconds: stale }] }),
  };
}

/** Everything happens at once, and a route is one line. */
class Account {
  readonly routes = new Map<
    PrefixNumber,
    { session: number; stale: boolean; longLived: boolean }
  >();
  readonly due = new Map<"wait" | "repeated" | "longLived", number>();
  session = 0;
  up = false;
  waiting = false;
  spent = false;
  refreshing = false;
  said: Said | undefined;
  now = 0;

  #sweep(which: (session: number) => boolean = () => true): void {
    for (const [key, { stale, session }] of this.routes) {
      if (stale && which(session)) this.routes.delete(key);
    }
  }

  drop(): void {
    this.due.delete("longLived");
    this.#sweep();
  }

  #longer(): number {
    return this.said && this.said.restart >= 0 ? Math.max(0, this.said.stale) : 0;
  }

  #keepLonger(): void {
    const seconds = this.#longer();
    if (seconds === 0 || ![...this.routes.values()].some(({ stale }) => stale)) this.drop();
    else {
      if (!this.due.has("longLived")) this.due.set("longLived", this.now + seconds);
      for (const route of this.routes.values()) if (route.stale) route.longLived = true;
    }
  }

  down(restartable: boolean): void {
    if (!restartable) this.said = undefined;
    const restart = Math.max(0, this.said?.restart ?? 0);
    const graceful = restart > 0 && (this.refreshing || this.said?.notification === true);
    const keep = graceful || (this.#longer() > 0 && this.due.has("longLived"));
    if (!keep) this.#sweep();
    const again = [...this.routes.values()].some(({ stale }) => stale);
    for (const route of this.routes.values()) route.stale = true;
    this.waiting = false;
    if (this.spent) this.drop();
    else if (restart > 0) this.waiting = this.routes.size > 0;
    else this.#keepLonger();
    if (this.waiting) this.due.set("wait", this.now + restart);
    else this.due.delete("wait");
    const bounded = again && this.due.has("repeated");
    if (!bounded) this.due.set("repeated", this.now + restart + STALE_PATH);
    this.up = this.spent = this.refreshing = false;
  }

  established(said: Said): void {
    const known = said.restart >= 0;
    const longLived = this.due.has("longLived");
    this.said = said;
    this.session++;
    this.up = true;
    this.waiting = false;
    this.due.delete("wait");
    if (!known || !said.forwarding || (longLived && said.stale < 0)) this.drop();
    else if (!longLived && this.routes.size > 0) this.due.set("wait", this.now + STALE_PATH);
  }

  endOfRib(): void {
    this.spent = false;
    if (!this.refreshing) this.drop();
  }

  refresh(end: boolean): void {
    if (end && this.refreshing) this.drop();
    if (!end) {
      for (const route of this.routes.values()) route.stale = true;
      this.due.set("wait", this.now + STALE_PATH);
    }
    this.refreshing = !end;
  }

  advance(seconds: number): void {
    const end = this.now + seconds;
    for (;;) {
      const next = [...this.due].sort(([, a], [, b]) => a - b)[0];
      if (next === undefined || next[1] > end) break;
      const [name, at] = next;
      this.now = at;
      this.due.delete(name);
      if (name === "wait") {
        const away = this.waiting;
        this.waiting = false;
        if (away) this.#keepLonger();
        else if (!this.due.has("longLived")) this.drop();
      } else if (name === "longLived") {
        if (this.up) this.spent = true;
        this.drop();
      } else if (!this.due.has("longLived") && !this.refreshing) {
        this.#sweep((session) => session !== this.session);
      }
    }
    this.now = end;
  }

  text(): string[] {
    const lines = [...this.routes].map(
      ([key, { session, longLived }]) => `${key} ${session}${longLived ? " long-lived" : ""}`,
    );
    return lines.sort();
  }
}

type Step =
  | { readonly kind: "announce" | "withdraw"; readonly key: PrefixNumber }
  | { readonly kind: "end" | "begin" | "finish" }
  | { readonly kind: "up"; readonly said: Said }
  | { readonly kind: "down"; readonly restartable: boolean }
  | { readonly kind: "advance"; readonly seconds: number };

const mostly = fc.integer({ min: 0, max: 7 }).map((number) => number > 0);
/** Times of which no two sums are the same. */
const said = fc.record({
  restart: fc.constantFrom(37, 37, 37, 331, 0, -1),
  forwarding: mostly,
  notification: fc.boolean(),
  stale: fc.constantFrom(53, 53, 53, 709, 0, -1),
});
const key = fc.constantFrom(1, 2, 3, 4).map(testNumber);
const advance = fc.record({
  kind: fc.constant("advance" as const),
  seconds: fc.constantFrom(0.01, 1.01, 30.01, 45.01, 90.01),
});
const telling: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("announce" as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("withdraw" as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("end", "begin", "finish") }) as fc.Arbitrary<Step>,
  },
  { weight: 2, arbitrary: advance },
);
/** A session, and the time until the next. */
const session = fc
  .record({
    said,
    telling: fc.array(telling, { maxLength: 6 }),
    restartable: mostly,
    away: fc.array(advance, { maxLength: 2 }),
  })
  .map((parts): Step[] => [
    { kind: "up", said: parts.said },
    ...parts.telling,
    { kind: "down", restartable: parts.restartable },
    ...parts.away,
  ]);

it("keeps and drops what it should, whatever a peer does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(session, { maxLength: 6 }), async (sessions) => {
      const clock = new FakeClock();
      const held = new Map<PrefixNumber, Path>();
      const table = new AdjRibIn((at, path) => {
        if (path) held.set(at, path);
        else held.delete(at);
      });
      const helper = new RestartHelper({
        ...{ clock, slices: new Slices(clock), tables: new Map([[FAMILY, table]]) },
        age: (path) => ({ ...path, longLivedStale: true }),
        stalePathSeconds: () => STALE_PATH,
        maximumStaleSeconds: () => Number.POSITIVE_INFINITY,
        onChange: () => undefined,
      });
      const account = new Account();
      let source = testSource(0);
      let path = makePath({ source, attributes, identity });
      const check = () => {
        const lines = [...held].map(([at, kept]) => {
          return `${at} ${kept.source.peerId}${kept.longLivedStale ? " long-lived" : ""}`;
        });
        assert.deepEqual(lines.sort(), account.text());
        assert.equal(helper.waiting, account.waiting);
        assert.equal(helper.longLived, account.due.has("longLived"));
      };
      for (const each of sessions.flat()) {
        if (each.kind === "advance") {
          await clock.advance(each.seconds * 1000);
          account.advance(each.seconds);
          check();
        } else if (each.kind === "up") {
          account.established(each.said);
          source = testSource(account.session);
          path = makePath({ source, attributes, identity });
          helper.onEstablished(negotiated(each.said), source);
        } else if (each.kind === "announce") {
          table.announce(each.key, path);
          account.routes.set(each.key, {
            session: account.session,
            stale: false,
            longLived: false,
          });
        } else if (each.kind === "withdraw") {
          table.withdraw(each.key);
          account.routes.delete(each.key);
        } else if (each.kind === "down") {
          helper.onDown(each.restartable);
          account.down(each.restartable);
        } else if (each.kind === "end") {
          helper.onEndOfRib(FAMILY);
          account.endOfRib();
        } else if (each.kind === "begin") {
          helper.onRefreshBegin(FAMILY);
          account.refresh(false);
        } else {
          helper.onRefreshEnd(FAMILY);
          account.refresh(true);
        }
      }
      await clock.advance(10);
      account.advance(0.01);
      check();
    }),
    { numRuns: Number(process.env.SWITCHYARD_FUZZ_RUNS ?? 500) },
  );
});
