/** Whole lives of a change, with real drivers on a fake clock and agents with made-up kernels. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModeChangeSpec } from "../../model/index.ts";
import { requestChange, sayWord } from "./request.ts";
import { POOL, Simulation, type SimulationOptions } from "./testing/simulation.ts";

async function simulation(options: Partial<SimulationOptions> = {}): Promise<Simulation> {
  const subnets = { "172.16.1": ["a", "b"], "172.16.2": ["c", "d"] };
  const it = new Simulation({ subnets, drivers: 2, ...options });
  await it.start();
  return it;
}

async function ask(it: Simulation, spec: Partial<ModeChangeSpec> = {}): Promise<string> {
  const { clock, store } = it;
  const whole = { pool: POOL, to: "none", requestedBy: "test", seed: 7, ...spec } as const;
  return (await requestChange(store, { spec: whole, clock, random: () => 0.5 })).metadata.name;
}

async function untilPhase(it: Simulation, name: string, phase: string): Promise<void> {
  await it.run(600_000, async () => (await it.change(name))?.status?.phase === phase);
  assert.equal((await it.change(name))?.status?.phase, phase);
}

const sent = (it: Simulation) => [
  ...new Set([...it.agents.values()].flatMap((agent) => [...agent.sends.values()])),
];

test("a change goes through every phase, and ends fully new", async () => {
  const it = await simulation();
  const name = await ask(it);
  await untilPhase(it, name, "AwaitingConfirm");
  assert.equal((await it.base.get("IPPool", POOL)).spec.ipipMode, "Always");
  assert.deepEqual(sent(it), ["none"]);
  await sayWord(it.store, { name, word: "confirm", clock: it.clock });
  await untilPhase(it, name, "Done");
  const { status } = (await it.change(name))!;
  assert.deepEqual(
    [...new Set(status?.history.map(({ phase }) => phase))],
    [
      ...["Planning", "Proving", "Widening", "Canary", "Rolling", "Verifying", "AwaitingConfirm"],
      ...["Narrowing", "Done"],
    ],
  );
  assert.equal(status?.reason, "fully new: pool pods says none, and 4 of 4 nodes have realised it");
  assert.equal(status?.orders, undefined);
  assert.equal((await it.base.get("IPPool", POOL)).spec.ipipMode, "Never");
  assert.deepEqual(it.crimes, []);
  await it.stop();
});

test("nobody confirms: it goes back in time, also without who drove it", async () => {
  const it = await simulation();
  const name = await ask(it, { confirmWithinSeconds: 60 });
  await untilPhase(it, name, "AwaitingConfirm");
  it.drivers[0]?.kill();
  it.drivers[1]?.kill();
  it.addDriver("c");
  await untilPhase(it, name, "RolledBack");
  await it.run(5_000);
  const { status } = (await it.change(name))!;
  assert.equal(status?.reason, "fully old: nobody confirmed it within 1 min");
  assert.deepEqual(sent(it), ["ipip"]);
  await it.stop();
});

test("a proof that fails refuses, and nothing moves", async () => {
  const it = await simulation();
  it.verdicts = [
    {
      ...{ from: "172.16.1.0/24", to: "172.16.2.0/24", encapsulation: "none" },
      ...{ pairs: 4, failed: 4, ok: false, message: "pod addresses are dropped" },
    },
  ];
  const name = await ask(it);
  await untilPhase(it, name, "Refused");
  const { status } = (await it.change(name))!;
  assert.equal(
    status?.reason,
    "fully old, nothing has moved: the fabric does not carry none: 172.16.1.0/24 → 172.16.2.0/24: pod addresses are dropped",
  );
  assert.deepEqual(status?.verdicts, it.verdicts);
  assert.deepEqual(sent(it), ["ipip"]);
  await it.stop();
});

test("a trap that refuses has some seconds to pass, as hosts say late how they are", async () => {
  const trap = { code: "BGP_NO_PEERS", severity: "refuse", message: "down", remedy: "" } as const;
  const cases = [
    { nodes: ["a"], forMs: 4_000, end: "Proving", atMs: [4_000, 7_000] },
    { nodes: ["a"], forMs: 60_000, end: "Refused", atMs: [6_000, 7_000] },
    // What only resources say does not pass.
    { nodes: [], forMs: 60_000, end: "Refused", atMs: [0, 500] },
  ] as const;
  for (const { nodes, forMs, end, atMs } of cases) {
    const it = await simulation({ idleMs: 100 });
    it.traps = [{ ...trap, nodes: [...nodes] }];
    const name = await ask(it);
    const begun = async () => (await it.change(name))?.status !== undefined;
    await it.run(60_000, begun);
    it.clock.schedule(forMs, () => {
      it.traps = [];
    });
    await untilPhase(it, name, end);
    const { history = [] } = (await it.change(name))?.status ?? {};
    const found = history.find(({ phase }) => phase === end)?.at ?? "";
    const tookMs = Date.parse(found) - Date.parse(history[0]?.at ?? "");
    assert.ok(tookMs >= atMs[0] && tookMs <= atMs[1], `${end} after ${tookMs} ms`);
    await it.stop();
  }
});

test("a change was deleted by hand: its evidence and lease go when the next one ends", async () => {
  const it = await simulation();
  const deleted = await ask(it);
  await untilPhase(it, deleted, "Widening");
  await it.base.delete("ModeChange", deleted);
  it.stir();
  await it.run(5_000);
  const left = async () => {
    const evidence = (await it.base.list("ModeEvidence")).items.map(({ spec }) => spec.change);
    const leases = (await it.base.list("Lease")).items.map(({ metadata }) => metadata.name);
    return [...new Set([...evidence, ...leases])].sort();
  };
  assert.deepEqual(await left(), [deleted, `pool.${POOL}`, "probes"]);
  const next = await ask(it, { proveOnly: true });
  await untilPhase(it, next, "Done");
  await it.run(5_000);
  assert.deepEqual(await left(), [next, `pool.${POOL}`, "probes"]);
  await it.stop();
});
