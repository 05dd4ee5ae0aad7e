/** Prefixes as networks number them do not meet in few places of a hash table. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PrefixKey } from "../wire/index.ts";
import { hashOf } from "./prefix-hash.ts";

const COUNT = 20_000;
const PLACES = 2 ** 16;

/** Address bits as they are numbered, from a bit on. */
const wide = (length: number) => (i: number) =>
  (0x20010db8n << 104n) + (BigInt(i) << BigInt(136 - length)) + BigInt(length);

const numberings: Readonly<Record<string, (i: number) => PrefixKey>> = {
  "IPv4 /24 one after the other": (i) => (0x0a000000 + i * 256) * 64 + 24,
  "IPv4 /32 one after the other": (i) => (0xc0000000 + i) * 64 + 32,
  "IPv4 /26 far apart": (i) => ((i * 0x30000) % 2 ** 32) * 64 + 26,
  "IPv6 /48 one after the other": wide(48),
  "IPv6 /64 one after the other": wide(64),
  "IPv6 /122 one after the other": wide(122),
  "IPv6 /128 one after the other": wide(128),
};

describe("hash of a prefix", () => {
  for (const [name, keyOf] of Object.entries(numberings)) {
    it(`spreads ${name}`, () => {
      const places = new Uint16Array(PLACES);
      let taken = 0;
      for (let i = 0; i < COUNT; i++) {
        if (places[hashOf(keyOf(i)) & (PLACES - 1)]!++ === 0) taken++;
      }
      // By chance 17,200 places, and not ten in one.
      assert.ok(taken > 15_000, `${taken} places`);
      assert.ok(Math.max(...places) < 16, `${Math.max(...places)} in one`);
    });
  }
});
