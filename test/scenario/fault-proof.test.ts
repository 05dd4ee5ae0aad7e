/** A fabric that cannot carry the new mode: the proof refuses, names the cause, and no pod loses a packet. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { describeFault } from "../../src/lab/index.ts";
import type { ModeName, Verdict } from "../../src/model/index.ts";
import { FaultStage } from "./fault-stage.ts";
import { type Broken, faultTable, subnets, type Way } from "./fault-table.ts";
import { losses, nothingLost } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: FaultStage;

before(async () => {
  if (!skip) stage = await FaultStage.open("faultproof");
});
after(async () => {
  await stage?.close();
});

function wayOf({ from, to }: Verdict): Way {
  const bridge = (subnet: string) =>
    Object.entries(subnets).find(([, prefix]) => prefix === subnet)?.[0];
  return `${bridge(from)} > ${bridge(to)}` as Way;
}

function assertVerdicts(verdicts: readonly Verdict[], { ways, says }: Broken): void {
  const bad = verdicts.filter(({ ok }) => !ok);
  const told = bad.map((verdict) => `${wayOf(verdict)}: ${verdict.message}`).join("\n");
  assert.deepEqual(bad.map(wayOf).sort(), [...ways].sort(), told);
  for (const verdict of bad) {
    const expected = says instanceof RegExp ? says : says[wayOf(verdict)];
    assert.match(verdict.message, expected!, told);
  }
}

for (const row of faultTable) {
  for (const [to, broken] of Object.entries(row.breaks)) {
    const title = `${describeFault(row.fault)}, from ${row.from} to ${to}`;
    test(title, { skip, timeout: 180_000 }, async (t) => {
      const { ended, report, tookMs } = await stage.underFault(row, { to: to as ModeName });
      t.diagnostic(`${tookMs} ms, ${report.total.sent} probes`);
      const { phase, verdicts = [], history } = ended.status!;
      assert.equal(phase, "Refused", JSON.stringify(history));
      assertVerdicts(verdicts, broken);
      assert.deepEqual(losses(report), nothingLost);
      assert.ok(report.total.sent > 500);
    });
  }
}
