/** Plain patches are noted once, whoever sees them, and a change's own write is not taken for one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ModeName, modeFields } from "../../model/index.ts";
import { requestChange } from "./request.ts";
import { POOL, Simulation } from "./testing/simulation.ts";

async function simulation(drivers = 4): Promise<Simulation> {
  const subnets = { "172.16.1": ["a", "b"], "172.16.2": ["c", "d"] };
  const it = new Simulation({ subnets, drivers, settleMs: 400 });
  await it.start();
  return it;
}

async function patch(it: Simulation, to: ModeName): Promise<void> {
  const pool = await it.store.get("IPPool", POOL);
  await it.store.update<"IPPool">({ ...pool, spec: { ...pool.spec, ...modeFields(to) } });
}

const notes = async (it: Simulation) =>
  (await it.base.list("ModeChange")).items
    .filter(({ spec }) => spec.requestedBy === "patch")
    .map(({ spec, status }) => `${status?.from} to ${spec.to}: ${status?.phase}`);

test("a patch is noted once by all who saw it, and is done when every node has realised it", async () => {
  const it = await simulation();
  await patch(it, "vxlan");
  await it.run(60_000);
  assert.deepEqual(await notes(it), ["ipip to vxlan: Done"]);
  const [note] = (await it.base.list("ModeChange")).items;
  assert.match(note?.status?.reason ?? "", /^fully new: .* 4 of 4 nodes/);
  await patch(it, "none");
  await it.run(60_000);
  assert.deepEqual((await notes(it)).sort(), ["ipip to vxlan: Done", "vxlan to none: Done"]);
  await it.stop();
});

test("a patch that changes another field is none of its business", async () => {
  const it = await simulation();
  const pool = await it.store.get("IPPool", POOL);
  await it.store.update<"IPPool">({ ...pool, spec: { ...pool.spec, natOutgoing: true } });
  await it.run(60_000);
  assert.deepEqual(await notes(it), []);
  await it.stop();
});

test("a change's own write of the pool is not noted as a patch", async () => {
  const it = await simulation();
  const spec = { pool: POOL, to: "vxlan", confirmed: true } as const;
  const { metadata } = await requestChange(it.store, {
    ...{ spec, clock: it.clock },
    random: () => 0.5,
  });
  await it.run(120_000, () => it.ended(metadata.name));
  await it.run(120_000);
  assert.deepEqual(await notes(it), []);
  await it.stop();
});

test("a second patch ends the note of the first", async () => {
  const it = await simulation();
  it.agents.get("d")!.refusesToSend = "vxlan";
  await patch(it, "vxlan");
  await it.run(30_000);
  assert.deepEqual(await notes(it), ["ipip to vxlan: Narrowing"]);
  await patch(it, "none");
  await it.run(60_000);
  assert.deepEqual((await notes(it)).sort(), ["ipip to vxlan: Done", "vxlan to none: Done"]);
  await it.stop();
});

test("of many changes the last twenty of a pool are kept, with what belongs to them", async () => {
  const it = await simulation(1);
  const names: string[] = [];
  for (let i = 0; i < 23; i++) {
    const to = i % 2 === 0 ? "vxlan" : "ipip";
    const { metadata } = await requestChange(it.store, {
      spec: { pool: POOL, to, confirmed: true, wave: "100%", canary: 0 },
      ...{ clock: it.clock, random: () => 0.5 },
    });
    names.push(metadata.name);
    await it.run(120_000, () => it.ended(metadata.name));
    await it.run(1_000);
  }
  const kept = (await it.base.list("ModeChange")).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(kept.sort(), names.slice(3).sort());
  const evidence = (await it.base.list("ModeEvidence")).items;
  assert.deepEqual([...new Set(evidence.map(({ spec }) => spec.change))].sort(), kept);
  const leases = (await it.base.list("Lease")).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(leases.sort(), [...kept, "pool.pods", "probes"].sort());
  await it.stop();
});
