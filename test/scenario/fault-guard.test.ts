/**
 * A change that nobody proved, over a fabric that cannot carry it: the guard takes it back from the canary, and
 * says why; what the guard does not see is taken back because nobody confirms it. What pods lose meanwhile is
 * told. One mode for each fault: the proof has all.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { describeFault, layout } from "../../src/lab/index.ts";
import { sleep } from "../../src/lib/index.ts";
import { type ModeName, modeName } from "../../src/model/index.ts";
import { FaultStage } from "./fault-stage.ts";
import { faultTable } from "./fault-table.ts";
import { clock, losses, nothingLost } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let faulty: FaultStage;

before(async () => {
  if (!skip) faulty = await FaultStage.open("faultguard");
});
after(async () => {
  await faulty?.close();
});

for (const row of faultTable) {
  const [to] = Object.keys(row.breaks) as [ModeName];
  const title = `${describeFault(row.fault)}, from ${row.from} to ${to}`;
  test(title, { skip, timeout: 180_000 }, async (t) => {
    const { stage, traffic } = faulty;
    const { ended, report, tookMs } = await faulty.underFault(row, {
      to,
      canary: 1,
      confirmWithinSeconds: 5,
      skipProof: { reason: "to see what the guard does" },
    });
    const { lost, where } = losses(report);
    const { phase, reason = "", history } = ended.status!;
    t.diagnostic(`${tookMs} ms, ${lost} of ${report.total.sent} lost: ${where.join(", ")}`);
    t.diagnostic(reason);
    assert.equal(phase, "RolledBack", JSON.stringify(history));
    assert.match(reason, /^fully old/);
    if (!row.hiddenFromGuard) {
      assert.doesNotMatch(reason, /nobody confirmed|nothing has moved/);
      const phases = history.map((entry) => entry.phase);
      assert.ok(!phases.includes("Rolling"), `only the canary moves: ${phases.join(", ")}`);
    }
    assert.equal(modeName((await stage.store.get("IPPool", layout.poolName)).spec), row.from);
    await stage.settled();
    await traffic.beginWindow();
    await sleep(clock, 500);
    assert.deepEqual(losses(await traffic.endWindow()), nothingLost, "afterwards");
  });
}
