/** What the log is told of malformed UPDATEs (RFC 7606 section 8), and how often. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, prefix } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { MalformedReport } from "./malformed-report.ts";
import { keyOfPrefix, type Update } from "./wire/index.ts";

const broken = (bytes: number): Update => ({
  ...{ kind: "update", reach: [], discarded: [] },
  withdrawn: [keyOfPrefix(prefix("10.1.2.0/24"))],
  treatedAsWithdraw: "attribute 1: value 9",
  malformed: new Uint8Array(bytes).fill(0xab),
});

interface Line {
  readonly messages: number;
  readonly message: string;
}

function setUp() {
  const lines: Line[] = [];
  const log = { warn: (line: Line) => lines.push(line) } as unknown as Log;
  const clock = new FakeClock();
  return { lines, log, clock, report: new MalformedReport(clock) };
}

describe("a malformed UPDATE in the log", () => {
  it("stands there whole, with what is wrong and the routes", () => {
    const { lines, log, report } = setUp();
    report.see(broken(3), log);
    assert.deepEqual(lines, [
      {
        ...{ reason: "attribute 1: value 9", prefixes: ["10.1.2.0/24"] },
        ...{ messages: 1, message: "ab ab ab" },
      },
    ]);
  });

  it("comes once in a while, and no longer than an ordinary message", async () => {
    const { lines, log, clock, report } = setUp();
    for (let i = 0; i < 5; i++) report.see(broken(60_000), log);
    await clock.advance(11_000);
    report.see(broken(60_000), log);
    assert.deepEqual(
      lines.map(({ messages }) => messages),
      [1, 5],
    );
    assert.equal(lines[0]!.message, `${"ab ".repeat(4096)}and 55904 bytes more`);
    assert.equal(report.total, 6);
  });
});

describe("a ROUTE-REFRESH that is ignored, in the log (RFC 7313 sections 4 and 5)", () => {
  it("comes once in a while, and is no malformed UPDATE", async () => {
    const { lines, log, clock, report } = setUp();
    for (let i = 0; i < 5; i++) report.seeRefresh("ipv4-unicast", "of an unknown subtype", log);
    await clock.advance(11_000);
    report.seeRefresh("ipv4-unicast", "of an unknown subtype", log);
    assert.deepEqual(
      lines.map(({ messages }) => messages),
      [1, 5],
    );
    assert.equal(report.total, 0);
  });
});
