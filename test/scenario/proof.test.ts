/**
 * The proof in a whole lab: agents take orders from the driver among them, send real packets, and the verdicts
 * name what is wrong with the fabric. Nothing moves, and no workload packet is lost.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addFault, type FaultSpec, removeFault } from "../../src/lab/index.ts";
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
  /** Of pods, without encapsulation: they would be hit as well as the proof's. */
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

describe("the proof", () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open("proof", { mode: "vxlan-crosssubnet" });
  });
  after(async () => {
    await stage.close();
  });

  async function prove(to: ModeName): Promise<ModeChange> {
    const pool = (await stage.store.list("IPPool")).items[0]?.metadata.name ?? "";
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
      const { status } = await prove(to);
      assert.equal(status?.phase, "Done", `${status?.reason}\n${textOf(status?.verdicts)}`);
      assert.equal(status?.verdicts?.length, 4, textOf(status?.verdicts));
      assert.ok(status?.verdicts?.every(({ ok, pairs }) => ok && pairs > 0));
      assert.deepEqual(await stage.routes("node1"), rules, "no workload route is touched");
    });
  }

  for (const { fault, to, between, says } of cases) {
    test(`${fault.kind} is found before ${to} is tried`, async () => {
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
