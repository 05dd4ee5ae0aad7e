/**
 * Every fault at every step: each scenario is played once to count what its driver writes, then once more for each
 * of these writes and each fault. Whatever happens, the change ends, and all nodes are where the pool is.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ModeChange, ModeChangeSpec } from "../../model/index.ts";
import { requestChange, sayWord } from "./request.ts";
import { type Fault, faults } from "./testing/faults.ts";
import { POOL, Simulation } from "./testing/simulation.ts";
import { hasEnded } from "./write.ts";

interface Scenario {
  readonly name: string;
  readonly spec: Partial<ModeChangeSpec>;
  /** Whether the operator confirms when he is asked. */
  readonly confirms: boolean;
  /** A breach is seen while the waves roll. */
  readonly breach?: boolean;
  readonly ends: string;
  /** What comes before this phase is played by the first scenario. */
  readonly from?: string;
}

const scenarios: readonly Scenario[] = [
  { name: "confirmed", spec: {}, confirms: true, ends: "Done" },
  {
    name: "not confirmed",
    spec: { confirmWithinSeconds: 30, wave: "100%" },
    confirms: false,
    ends: "RolledBack",
    from: "AwaitingConfirm",
  },
  {
    name: "confirmed from the start, without proof",
    spec: { confirmed: true, skipProof: { reason: "test" }, wave: "100%", canary: 0 },
    confirms: false,
    ends: "Done",
  },
  {
    name: "a breach",
    spec: {},
    confirms: true,
    breach: true,
    ends: "RolledBack",
    from: "Rolling",
  },
];

/** Longer than all bounds together that a fault can lead to one after the other. */
const LONGEST_MS = 3 * 3_600_000;

interface Played {
  /** Phases in which the driver wrote, one for each write. */
  readonly writes: readonly string[];
  readonly change: ModeChange | undefined;
}

async function play(
  scenario: Scenario,
  ...disturbances: readonly { readonly fault: Fault; readonly at: number }[]
): Promise<Played> {
  const subnets = { "172.16.1": ["a", "b"], "172.16.2": ["c", "d"] };
  const it = new Simulation({ subnets, drivers: 3, settleMs: 400 });
  await it.start();
  const { clock, store } = it;
  const spec = { pool: POOL, to: "vxlan", requestedBy: "test", seed: 3, ...scenario.spec } as const;
  const { metadata } = await requestChange(store, { spec, clock, random: () => 0.5 });
  const { name } = metadata;
  const writes: string[] = [];
  for (const process of it.drivers) {
    process.store.around = async (resource, write) => {
      const counts = resource.kind === "IPPool" || resource.metadata.name === name;
      if (!counts || resource.kind === "Lease") return write();
      writes.push(resource.kind === "IPPool" ? "pool" : phaseOf(resource));
      const here = disturbances.find(({ at }) => at === writes.length - 1);
      return here ? here.fault.around({ it, change: name, process }, write) : write();
    };
  }
  let confirmed = false;
  await it.run(LONGEST_MS, async () => {
    const status = (await it.change(name))?.status;
    if (scenario.breach && status?.phase === "Rolling") it.agents.get("a")!.breach = "lost";
    if (scenario.confirms && status?.phase === "AwaitingConfirm" && !confirmed) {
      confirmed = true;
      await sayWord(store, { name, word: "confirm", clock }).catch(() => undefined);
    }
    return it.ended(name);
  });
  const change = await it.change(name);
  if (change) assertEnded(change);
  // Others that were asked for meanwhile end as well.
  await it.run(LONGEST_MS, async () => (await unended(it)).length === 0);
  assert.deepEqual(await unended(it), [], "every change ends");
  await it.heal();
  await assertAgreement(it);
  assert.deepEqual(it.crimes, []);
  // Another hand that writes the new mode commits as well as a driver.
  const otherHand = disturbances.some(({ fault }) => fault.name.includes("writes the new mode"));
  if (change) assertTruth(it, change, otherHand);
  await it.stop();
  return { writes, change };
}

function phaseOf(resource: { readonly status?: unknown }): string {
  return (resource.status as ModeChange["status"])?.phase ?? "";
}

async function unended(it: Simulation): Promise<string[]> {
  const { items } = await it.base.list("ModeChange");
  return items
    .filter(({ status }) => !status || !hasEnded(status.phase))
    .map(({ metadata, status }) => `${metadata.name} is ${status?.phase}`);
}

function assertEnded({ status }: ModeChange): void {
  assert.ok(status && hasEnded(status.phase), `it stays in ${status?.phase}`);
  assert.equal(status.orders, undefined, "nothing is ordered any more");
  assert.ok(status.reason, "the reason is told");
  assert.equal(status.history.at(-1)?.phase, status.phase);
}

/** Every node sends to every other what the pool says. */
async function assertAgreement(it: Simulation): Promise<void> {
  const pool = await it.base.get("IPPool", POOL).catch(() => undefined);
  if (!pool) return;
  const { ipipMode, vxlanMode } = pool.spec;
  const wire = vxlanMode !== "Never" ? "vxlan" : ipipMode !== "Never" ? "ipip" : "none";
  for (const agent of it.agents.values()) {
    const sends = [...new Set(agent.sends.values())];
    assert.deepEqual(sends, [wire], `${agent.node} sends what the pool says`);
  }
}

/** What the change says at its end is what was done. */
function assertTruth(it: Simulation, { status }: ModeChange, otherHand: boolean): void {
  const done = it.commits.filter((mode) => mode === "vxlan").length;
  const text = `${status?.reason}; written: ${it.commits}`;
  assert.ok(done <= 1, "the pool is written once");
  if (status?.reason?.startsWith("fully old")) assert.equal(done, 0, text);
  if (status?.reason?.includes("was committed") && !otherHand) assert.equal(done, 1, text);
  if (status?.phase === "Refused") assert.equal(done, 0, text);
}

test("any three faults at any steps, one upon the other", async () => {
  const disturbance = fc.record({
    fault: fc.constantFrom(...faults),
    at: fc.integer({ min: 0, max: 20 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...scenarios),
      fc.uniqueArray(disturbance, { minLength: 3, maxLength: 3, selector: ({ at }) => at }),
      async (scenario, disturbances) => {
        await play(scenario, ...disturbances);
      },
    ),
    { numRuns: 100 },
  );
});

for (const scenario of scenarios) {
  describe(`${scenario.name}:`, async () => {
    const { writes, change } = await play(scenario);
    test("undisturbed", () => {
      assert.equal(change?.status?.phase, scenario.ends);
      assert.ok(writes.length > 5);
    });
    const first = scenario.from === undefined ? 0 : writes.indexOf(scenario.from);
    const steps = writes.map((phase, at) => ({ phase, at })).slice(first);
    const size = steps.length * faults.length;
    console.log(
      `${scenario.name}: ${steps.length} steps x ${faults.length} faults = ${size} lives`,
    );
    for (const fault of faults) {
      test(`${fault.name}, at each of ${steps.length} steps`, async () => {
        for (const { phase, at } of steps) {
          try {
            await play(scenario, { fault, at });
          } catch (error) {
            throw new Error(`at write ${at + 1} (${phase})`, { cause: error });
          }
        }
      });
    }
  });
}
