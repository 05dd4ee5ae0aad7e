/** The tables of sessions with path identifiers, each against a naive one under random operations. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Ipv4, ipv4, prefix } from "../../lib/index.ts";
import {
  AttributeTable,
  decodeUpdate,
  encodeAttributes,
  keyOfPrefix,
  type PrefixKey,
} from "../wire/index.ts";
import { AdjRibIn } from "./adj-rib-in.ts";
import { AdjRibInPaths } from "./adj-rib-in-paths.ts";
import { AdjRibOutPaths, type WantedPath } from "./adj-rib-out-paths.ts";
import { bestPath } from "./decision.ts";
import type { OutgoingAttributes } from "./export-target.ts";
import { LocRib } from "./loc-rib.ts";
import { makePath, type Path } from "./path.ts";
import { type PrefixNumber, prefixIndex } from "./prefix-index.ts";
import { SharedUpdates } from "./shared-updates.ts";
import { testNumber, testSource } from "./testing.ts";

const keys = ["10.0.0.0/8", "10.0.0.0/9", "2001:db8::/32"].map((text) => keyOfPrefix(prefix(text)));
const numbers = keys.map(testNumber);
const number = numbers[0]!;
const anyNumber = fc.constantFrom(...numbers);

function made(peerId: number, pathId: number, localPref = 100): Path {
  return makePath({
    source: testSource(peerId, { peerType: "ibgp", remoteAs: 64512 }),
    pathId,
    attributes: { origin: "igp", asPath: [], nextHop: ipv4("10.0.0.9"), localPref },
    identity: { as: 64512, routerId: 99 as Ipv4, clusterId: 99 as Ipv4 },
  });
}

const name = (of: PrefixKey | PrefixNumber, pathId: number) => `${of} ${pathId}`;

describe("Adj-RIB-in with path identifiers", () => {
  const operation = fc.record({
    kind: fc.constantFrom("announce", "announce", "withdraw", "lose", "keep", "age", "sweep"),
    number: anyNumber,
    id: fc.nat(2),
  });

  const variants = new WeakMap<Path, Path>();
  const aged = (path: Path) => {
    const known = variants.get(path) ?? { ...path, longLivedStale: true };
    variants.set(path, known);
    return known;
  };

  it("keeps what is told again and sweeps the rest, like a naive table", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const seen = new Map<string, Path>();
        const table = new AdjRibInPaths((number, path, id) => {
          if (path) seen.set(name(number, id), path);
          else assert.ok(seen.delete(name(number, id)), "a withdrawal of something never told");
        });
        const naive = new Map<string, { path: Path; fresh: boolean }>();
        const sweep = () => {
          for (const [each, { fresh }] of naive) if (!fresh) naive.delete(each);
        };
        for (const { kind, number, id } of operations) {
          if (kind === "announce") {
            const path = made(1, id);
            naive.set(name(number, id), { path, fresh: true });
            table.announce(number, path);
          } else if (kind === "withdraw") {
            naive.delete(name(number, id));
            table.withdraw(number, id);
          } else if (kind === "lose" || kind === "keep") {
            if (kind === "lose") sweep();
            for (const entry of naive.values()) entry.fresh = false;
            table.expectAgain(kind === "keep");
          } else if (kind === "age") {
            for (const [each, entry] of naive) {
              if (entry.fresh) continue;
              if (each.endsWith(" 2")) naive.delete(each);
              else entry.path = aged(entry.path);
            }
            for (const _ of table.age((path) => (path.pathId === 2 ? undefined : aged(path))));
          } else {
            sweep();
            while (table.sweepSome(1));
          }
          const expected = new Map([...naive].map(([each, { path }]) => [each, path]));
          assert.deepEqual(seen, expected);
          assert.equal(table.size, naive.size);
          assert.equal(table.leftovers, [...naive.values()].filter(({ fresh }) => !fresh).length);
          const listed = [...table.numbers()].flatMap((each) =>
            table.paths(each).map((path) => [name(each, path.pathId), path] as const),
          );
          assert.equal(listed.length, naive.size, "each once");
          assert.deepEqual(new Map(listed), expected);
        }
        seen.clear();
        for (const _ of table.replay());
        assert.equal(seen.size, naive.size);
      }),
    );
  });

  it("goes on from a table of single paths", () => {
    const gone: string[] = [];
    const before = new AdjRibIn(() => undefined);
    for (const each of numbers) before.announce(each, made(1, 0));
    const table = new AdjRibInPaths((number, path, id) => {
      if (path === undefined) gone.push(name(number, id));
    }, before);
    assert.deepEqual([before.size, table.size, table.leftovers], [0, 3, 3]);
    table.announce(numbers[0]!, made(1, 7));
    table.announce(numbers[1]!, made(1, 0));
    while (table.sweepSome(1));
    assert.deepEqual(gone, [name(numbers[0]!, 0), name(numbers[2]!, 0)]);
    assert.equal(table.size, 2);
  });
});

describe("Loc-RIB with several paths of one peer", () => {
  it("holds the best of all, and can tell their order", () => {
    const update = fc.record({
      peer: fc.integer({ min: 1, max: 3 }),
      id: fc.nat(2),
      localPref: fc.constantFrom(undefined, 100, 200),
    });
    fc.assert(
      fc.property(fc.array(update, { maxLength: 60 }), (updates) => {
        const rib = new LocRib();
        const naive = new Map<string, Path>();
        for (const { peer, id, localPref } of updates) {
          const path = localPref === undefined ? undefined : made(peer, id, localPref);
          const slot = `${peer} ${id}`;
          const before = rib.best(number);
          if (path) naive.set(slot, path);
          else naive.delete(slot);
          const change = path ? rib.replace(number, path) : rib.remove(number, peer, id);
          const all = [...naive.values()];
          const best = all.length === 0 ? undefined : bestPath(all);
          assert.equal(rib.best(number), best);
          assert.equal(change === "best", before !== best);
          assert.deepEqual(new Set(rib.paths(number)), new Set(all));
          const ranked = [...rib.ranked(number)];
          assert.equal(ranked.length, all.length);
          for (const [at, each] of ranked.entries()) assert.equal(bestPath(ranked.slice(at)), each);
        }
      }),
    );
  });
});

describe("Adj-RIB-out with path identifiers", () => {
  const sets: readonly OutgoingAttributes[] = [1, 2].map((med) => {
    const nextHop = ipv4("10.0.0.9");
    const attributes = { origin: "igp" as const, asPath: [], nextHop, med };
    return { bytes: encodeAttributes(attributes, { fourOctetAs: true }), nextHop };
  });
  const only4 = keys.filter((key) => typeof key === "number");
  const step = fc.record({
    key: fc.constantFrom(...only4),
    wanted: fc.uniqueArray(fc.record({ peerId: fc.nat(2), pathId: fc.nat(1), set: fc.nat(1) }), {
      maxLength: 4,
      selector: ({ peerId, pathId }) => `${peerId} ${pathId}`,
    }),
    next: fc.constantFrom("wait", "send", "send", "forget"),
  });

  it("makes a peer hold exactly what is wanted, each path by one identifier for its life", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const wanted = new Map<PrefixKey, readonly WantedPath[]>();
        const table = new AdjRibOutPaths({
          families: ["ipv4-unicast"],
          addPath: ["ipv4-unicast"],
          maximumBytes: 4096,
          updates: new SharedUpdates(),
          wanted: (of) => wanted.get(prefixIndex.keyOf(of)) ?? [],
        });
        const peer = new Map<string, number | undefined>();
        const identifiers = new Map<string, number>();
        const context = {
          ...{ fourOctetAs: true, peerType: "ibgp" as const, table: new AttributeTable() },
          addPathReceive: ["ipv4-unicast" as const],
        };
        const send = () => {
          for (const message of table.take(1000)) {
            const { reach, withdrawn, withdrawnIds } = decodeUpdate(message, context);
            for (const [at, key] of withdrawn.entries()) {
              assert.ok(peer.delete(name(key, withdrawnIds![at]!)), "withdrawn and never told");
            }
            for (const { attributes, keys: told, ids } of reach) {
              for (const [at, key] of told.entries())
                peer.set(name(key, ids![at]!), attributes.med);
            }
          }
          assert.equal(table.idle, true);
        };
        const check = () => {
          const held = only4.flatMap((key) =>
            table.sent(testNumber(key)).map((path) => ({ key, ...path })),
          );
          assert.equal(table.size, held.length);
          assert.deepEqual(
            new Map(
              held.map(({ key, id, attributes }) => [name(key, id!), sets.indexOf(attributes) + 1]),
            ),
            peer,
          );
          for (const key of only4) {
            const slots = (wanted.get(key) ?? []).map(
              ({ peerId, pathId }) => `${key} ${peerId} ${pathId}`,
            );
            for (const slot of [...identifiers.keys()]) {
              if (slot.startsWith(`${key} `) && !slots.includes(slot)) identifiers.delete(slot);
            }
            for (const [at, slot] of slots.entries()) {
              const { id } = table.sent(testNumber(key))[at]!;
              assert.equal(identifiers.get(slot) ?? id, id, "it changed");
              identifiers.set(slot, id!);
            }
          }
        };
        for (const { key, wanted: paths, next } of steps) {
          wanted.set(
            key,
            paths.map(({ peerId, pathId, set }) => ({ peerId, pathId, attributes: sets[set]! })),
          );
          table.touch(testNumber(key));
          if (next === "wait") continue;
          if (next === "forget") table.forget("ipv4-unicast");
          send();
          check();
        }
      }),
    );
  });
});
