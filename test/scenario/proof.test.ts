/**
 * The proof in a whole lab: agents take orders from the driver among them, send real packets, and the verdicts
 * name what is wrong with the fabric. Nothing moves, and no workload packet is lost.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addFault, type FaultSpec, layout, removeFault } from "../../src/lab/index.ts";
import { sleep } from "../../src/lib/index.ts";
import { requestChange } from "../../src/mode/index.ts";
import type { ModeChange, ModeName, Verdict } from "../../src/model/index.ts";
import { clock, Stage } from "./stage.ts";

const WITHIN_MS = 150_000;
const A = "172.139.20.0/24";
const B = "172.139.30.0/24";

interface Case {
  readonly fault: FaultSpec;
  readonly to: ModeName;
  readonly says: RegExp;
  /** Subnets whose verdict is to say it. */
  readonly between: readonly [string, string];
}

const cases: readonly Case[] = [
  {
    fault: { kind: "drop-ipip", between: ["br20", "br30"] },
    to: "ipip",
    between: [A, B],
    says: /^protocol 4 \(IP-in-IP\) is dropped both ways/,
  },
  {
    fault: { kind: "drop-vxlan", between: ["br20", "br30"], oneWay: true },
    to: "vxlan",
    between: [A, B],
    says: /^UDP 4789 \(VXLAN\) is dropped this way, the other way passes/,
  },
  {
    fault: { kind: "drop-ipip", node: "node2" },
    to: "ipip",
    between: [B, A],
    says: /only node2 does not receive: its own firewall/,
  },
  {
    fault: { kind: "stateful-filter", between: ["br30", "br20"], traffic: "pods" },
    to: "none",
    between: [B, A],
    says: /dropped one way: a stateful filter; (\d+) of \1 first packets lost, replies pass$/,
  },
  {
    fault: { kind: "stateful-filter", between: ["br30", "br20"], traffic: "ipip" },
    to: "ipip",
    between: [B, A],
    says: /^protocol 4 \(IP-in-IP\) is dropped one way: a stateful filter; (\d+) of \1 first packets lost, replies pass$/,
  },
  {
    fault: { kind: "source-check" },
    to: "none",
    between: [A, A],
    says: /^packets between pod addresses without encapsulation are dropped both ways: .*source check/,
  },
  {
    fault: { kind: "small-mtu", mtu: 1430, between: ["br20", "br30"] },
    to: "ipip",
    between: [A, B],
    says: /^full-size packets do not pass: largest 1,410 of 1,480/,
  },
  {
    fault: { kind: "bad-checksum", between: ["br20", "br30"] },
    to: "ipip",
    between: [A, B],
    says: /checksum offload$/,
  },
  {
    fault: { kind: "loss", percent: 10, traffic: "ipip", between: ["br20", "br30"] },
    to: "ipip",
    between: [B, A],
    says: /\d+ of [\d,]+ lost/,
  },
];

const where = (fault: FaultSpec) =>
  "between" in fault && fault.between ? fault.between.join(" to ") : JSON.stringify(fault);

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

  for (const { fault, to, between, says } of cases) {
    test(`${fault.kind}, as ${where(fault)}, is found before ${to} is tried`, async () => {
      const { id } = await addFault(stage.lab, fault);
      try {
        const { status } = await prove(to);
        const words = textOf(status?.verdicts);
        assert.equal(status?.phase, "Refused", words);
        const [from, receiver] = between;
        const verdict = status?.verdicts?.find((one) => one.from === from && one.to === receiver);
        assert.match(verdict?.message ?? "no verdict", says, words);
        assert.equal(verdict?.ok, false);
      } finally {
        await removeFault(stage.lab, id);
      }
    });
  }
});
