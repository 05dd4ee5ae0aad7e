import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classOf, FailureBook, type ObjectClass } from "./failure-book.ts";

const START = Date.UTC(2026, 10, 23, 9, 0, 0);
const at = (ms: number) => ({ wallMs: START + ms, monotonicMs: ms });
const route = { object: "route 10.244.2.0/26", message: "File exists" };
const firewall = { object: "firewall", message: "nft: no such file" };

describe("failure book", () => {
  const classes: readonly (readonly [string, ObjectClass])[] = [
    ["route 10.244.2.0/26", "route"],
    ["device tunl0", "device"],
    ["address 10.244.1.0/32 dev tunl0", "address"],
    ["neighbour 10.244.2.0 dev vxlan.calico", "neighbour"],
    ["neighbours dev vxlan.calico", "neighbour"],
    ["fdb 66:00:00:00:00:02 dev vxlan.calico", "neighbour"],
    ["sysctl net/ipv4/ip_forward", "sysctl"],
    ["firewall", "firewall"],
    ["IPv6 firewall", "firewall"],
    ["pass", "other"],
    ["constructor", "other"],
  ];
  for (const [object, name] of classes) {
    it(`${object} is of class ${name}`, () => assert.equal(classOf(object), name));
  }

  it("says since when and how often, and keeps the first time while the words change", () => {
    const book = new FailureBook();
    book.update([route], at(0));
    book.update([{ ...route, message: "Network is down" }, firewall], at(700));
    assert.deepEqual(book.lines(), [
      "route 10.244.2.0/26: Network is down (since 2026-11-23T09:00:00.000Z, tried 2 times)",
      "firewall: nft: no such file (since 2026-11-23T09:00:00.700Z, tried once)",
    ]);
    book.update([firewall], at(800));
    book.update([route], at(900));
    assert.deepEqual(book.lines(), [
      "route 10.244.2.0/26: File exists (since 2026-11-23T09:00:00.900Z, tried once)",
    ]);
    book.update([], at(1000));
    assert.deepEqual([book.lines(), book.dueMs], [[], undefined]);
  });

  it("retries each class at its own pace, up to its ceiling", () => {
    const book = new FailureBook(() => 1);
    const dueAfter = (refused: readonly { object: string; message: string }[]) => {
      const due: number[] = [];
      for (let nowMs = 0; due.length < 9; nowMs = book.dueMs!) {
        book.update(refused, at(nowMs));
        due.push(book.dueMs! - nowMs);
      }
      book.update([], at(1e9));
      return due;
    };
    const doubling = [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000];
    assert.deepEqual(dueAfter([route]), doubling);
    const slow = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    assert.deepEqual(dueAfter([firewall]), slow);
  });

  it("does not wait longer because a pass came early", () => {
    const book = new FailureBook(() => 1);
    book.update([route, firewall], at(0));
    assert.equal(book.dueMs, 200);
    for (let ms = 10; ms < 200; ms += 10) book.update([route, firewall], at(ms));
    assert.equal(book.dueMs, 200);
    book.update([firewall], at(200));
    assert.equal(book.dueMs, 500);
  });
});
