/** PrefixTrie against a plain list that is searched from end to end. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  comparePrefixes,
  formatPrefix,
  type IpAddress,
  type Ipv4,
  type Ipv6,
  ipAddress,
  maskPrefix,
  type Prefix,
  prefix,
  prefixContains,
  prefixCovers,
  prefixEquals,
} from "./index.ts";
import { type PrefixEntry, PrefixTrie } from "./prefix-trie.ts";

class NaiveTrie {
  items: PrefixEntry<number>[] = [];

  set(key: Prefix, value: number): void {
    this.delete(key);
    this.items.push({ prefix: maskPrefix(key), value });
  }

  get(key: Prefix): number | undefined {
    return this.items.find((item) => prefixEquals(item.prefix, maskPrefix(key)))?.value;
  }

  delete(key: Prefix): boolean {
    const before = this.items.length;
    this.items = this.items.filter((item) => !prefixEquals(item.prefix, maskPrefix(key)));
    return this.items.length < before;
  }

  longestMatch(address: IpAddress): PrefixEntry<number> | undefined {
    return this.items
      .filter((item) => prefixContains(item.prefix, address))
      .sort((a, b) => b.prefix.length - a.prefix.length)[0];
  }
}

// Few distinct bits, so that random prefixes do nest, repeat and miss.
const address4 = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 }))
  .map(([high, low]) => (high * 0x10000000 + low) as Ipv4);
const address6 = fc
  .tuple(fc.bigInt(0n, 15n), fc.bigInt(0n, 15n))
  .map(([high, low]) => ((high << 124n) + low) as Ipv6);
const prefixes = fc.oneof(
  fc.tuple(address4, fc.integer({ min: 0, max: 32 })),
  fc.tuple(address6, fc.integer({ min: 0, max: 128 })),
);
const key = prefixes.map(([address, length]): Prefix => ({ address, length }));
const operation = fc.record({
  kind: fc.constantFrom("set" as const, "set" as const, "delete" as const),
  key,
  value: fc.integer(),
});

function sorted(entries: Iterable<PrefixEntry<number>>): PrefixEntry<number>[] {
  return [...entries].sort((a, b) => comparePrefixes(a.prefix, b.prefix));
}

test("PrefixTrie agrees with a naive list after any operations", () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 80 }),
      fc.array(key, { maxLength: 12 }),
      (operations, questions) => {
        const trie = new PrefixTrie<number>();
        const naive = new NaiveTrie();
        for (const step of operations) {
          if (step.kind === "set") {
            trie.set(step.key, step.value);
            naive.set(step.key, step.value);
          } else {
            assert.equal(trie.delete(step.key), naive.delete(step.key));
          }
        }
        assert.equal(trie.size, naive.items.length);
        assert.deepEqual(sorted(trie), sorted(naive.items));
        for (const question of [...questions, ...operations.map((step) => step.key)]) {
          assert.equal(trie.get(question), naive.get(question));
          assert.equal(trie.has(question), naive.get(question) !== undefined);
          assert.deepEqual(
            trie.longestMatch(question.address),
            naive.longestMatch(question.address),
          );
          const covering = naive.items
            .filter((item) => prefixCovers(item.prefix, question))
            .sort((a, b) => b.prefix.length - a.prefix.length);
          assert.deepEqual([...trie.covering(question)], covering);
          const covered = naive.items.filter((item) => prefixCovers(question, item.prefix));
          assert.deepEqual(sorted(trie.coveredBy(question)), sorted(covered));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("a routing table of a pod network", () => {
  const table = new PrefixTrie<string>();
  table.set(prefix("0.0.0.0/0"), "uplink");
  table.set(prefix("10.244.0.0/16"), "pool");
  table.set(prefix("10.244.7.64/26"), "blackhole");
  table.set(prefix("10.244.7.70/32"), "cali1");
  table.set(prefix("fd00::/8"), "v6");
  const rows: [string, string | undefined][] = [
    ["10.244.7.70", "cali1"],
    ["10.244.7.71", "blackhole"],
    ["10.244.9.9", "pool"],
    ["192.0.2.1", "uplink"],
    ["fd12::1", "v6"],
    ["2001:db8::1", undefined],
  ];
  for (const [address, expected] of rows) {
    assert.equal(table.longestMatch(ipAddress(address))?.value, expected, address);
  }
  table.clear();
  assert.equal(table.size, 0);
  assert.equal(table.longestMatch(ipAddress("10.244.7.70")), undefined);
});

test("coveredBy looks up rather than scans when the prefix holds few candidates", () => {
  const table = new PrefixTrie<number>();
  for (let i = 0; i < 1000; i++)
    table.set({ address: (0x0af40000 + i * 64) as Ipv4, length: 26 }, i);
  const found = [...table.coveredBy(prefix("10.244.1.0/24"))];
  assert.deepEqual(
    found.map((entry) => formatPrefix(entry.prefix)),
    ["10.244.1.0/26", "10.244.1.64/26", "10.244.1.128/26", "10.244.1.192/26"],
  );
});
