/**
 * The proof in a whole lab: agents take orders from the driver among them, send real packets, and the verdicts
 * name what is wrong. Nothing moves, and no workload packet is lost. The fabric's faults: fault-proof.test.ts.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addFault, layout, removeFault } from "../../src/lab/index.ts";
import { sleep } from "../../src/lib/index.ts";
import { requestChange } from "../../src/mode/index.ts";
import type { ModeChange, ModeName, Verdict } from "../../src/model/index.ts";
import { clock, Stage } from "./stage.ts";

const WITHIN_MS = 150_000;
const A = "172.139.20.0/24";
const B = "172.139.30.0/24";

describe("the proof", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open("proof", { mode: "vxlan-cross-subnet", dualStack: true });
  });
  after(async () => {
    await stage.close();
  });

  async function prove(to: ModeName, pool: string = layout.poolName): Promise<ModeChange> {
    const { metadata } = await requestChange(stage.store, {
      spec: { pool, to, proveOnly: true },
      clock,
      random: Math.random,
    });
    const untilMs = clock.monotonicMs() + WITHIN_MS;
    for (;;) {
      const change = await stage.store.get("ModeChange", metadata.name);
      if (["Done", "Refused", "RolledBack"].includes(change.status?.phase ?? "")) return change;
      if (clock.monotonicMs() > untilMs) {
        const { items } = await stage.store.list("ModeEvidence");
        throw new RangeError(`not proved in time: ${JSON.stringify([change.status, items])}`);
      }
      await sleep(clock, 200);
    }
  }

  const textOf = (verdicts: readonly Verdict[] = []) =>
    verdicts.map(({ from, to, ok, message }) => `${from} ${to} ${ok}: ${message}`).join("\n");

  for (const to of ["ipip", "none", "vxlan"] as const) {
    test(`a good fabric is proved for ${to}, and nothing is left of it`, async () => {
      const rules = await stage.routes("node1");
      let proved: ModeChange | undefined;
      const { total } = await stage.underTraffic(async () => {
        proved = await prove(to);
      });
      const status = proved?.status;
      assert.deepEqual([total.lost, total.reordered], [0, 0], "workloads notice nothing");
      assert.equal(status?.phase, "Done", `${status?.reason}\n${textOf(status?.verdicts)}`);
      assert.equal(status?.verdicts?.length, 4, textOf(status?.verdicts));
      assert.ok(status?.verdicts?.every(({ ok, pairs }) => ok && pairs > 0));
      assert.deepEqual(await stage.routes("node1"), rules, "no workload route is touched");
    });
  }

  test("hosts that check the reverse path strictly are no obstacle", async () => {
    const { id } = await addFault(stage.lab, { kind: "strict-rp-filter" });
    try {
      for (const to of ["ipip", "none"] as const) {
        const { status } = await prove(to);
        assert.equal(status?.phase, "Done", `${status?.reason}\n${textOf(status?.verdicts)}`);
      }
    } finally {
      await removeFault(stage.lab, id);
    }
  });

  test("IPv6: a good fabric is proved for vxlan, a broken one is refused", async () => {
    const pools = (await stage.store.list("IPPool")).items;
    const pool = pools.find(({ spec }) => spec.cidr.includes(":"))?.metadata.name;
    const good = (await prove("none", pool)).status;
    assert.equal(good?.phase, "Done", `${good?.reason}\n${textOf(good?.verdicts)}`);
    assert.equal(good?.verdicts?.length, 4);
    const vxlan = (await prove("vxlan", pool)).status;
    assert.equal(vxlan?.phase, "Done", `${vxlan?.reason}\n${textOf(vxlan?.verdicts)}`);
    assert.ok(vxlan?.verdicts?.every(({ encapsulation }) => encapsulation === "vxlan-v6"));
    const { id } = await addFault(stage.lab, { kind: "drop-vxlan" });
    try {
      const { status } = await prove("vxlan", pool);
      assert.equal(status?.phase, "Refused");
      assert.match(textOf(status?.verdicts), /UDP 4789 \(VXLAN over IPv6\) is dropped both ways/);
    } finally {
      await removeFault(stage.lab, id);
    }
  });

  test("a host that receives nothing is named, and not the fabric", async () => {
    const { id } = await addFault(stage.lab, { kind: "drop-ipip", node: "node2" });
    try {
      const { status } = await prove("ipip");
      const words = textOf(status?.verdicts);
      assert.equal(status?.phase, "Refused", words);
      const verdict = status?.verdicts?.find(({ from, to }) => from === B && to === A);
      assert.match(
        verdict?.message ?? "no verdict",
        /only node2 does not receive: its own firewall/,
      );
    } finally {
      await removeFault(stage.lab, id);
    }
  });
});
