/**
 * The guard of a mode change in a lab: agents that are killed, stopped and started again are no harm, a fabric
 * that drops what the new mode sends is, and a change without proof is taken back by it.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { askAgent } from "../../src/ctl/agent-socket.ts";
import { addFault, removeFault } from "../../src/lab/fault/operations.ts";
import { killAgent, type LabFault, layout, startAgent } from "../../src/lab/index.ts";
import { hasCode, sleep } from "../../src/lib/index.ts";
import type { ChangeOrders, ModeChange, ModeEvidenceStatus } from "../../src/model/index.ts";
import { clock, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const LIMIT_MS = 40_000;
/** A breach is told within 2 s; the rest is for a machine that does much else. */
const TOLD_MS = 3_500;
const DRIVEN = { phase: "Rolling" as const, phaseSince: "", from: "ipip", history: [] };
type Guard = NonNullable<ModeEvidenceStatus["guard"]>;

let stage: Stage;
before(async () => {
  if (!skip) stage = await Stage.open("guard", { nodes: 3, mode: "ipip" });
});
after(async () => {
  await stage?.close();
});

/** Orders by hand: agents look at them alone. Without orders the change is over. */
async function order(name: string, orders: Partial<ChangeOrders> | undefined): Promise<void> {
  for (;;) {
    const stored = await stage.store.list("ModeChange");
    const change = stored.items.find(({ metadata }) => metadata.name === name);
    const given: ChangeOrders = {
      ...{ step: 1, widen: true, prove: "no", guard: true, moved: [], key: "00" },
      ...orders,
    };
    const fresh: ModeChange = {
      apiVersion: "switchyard.io/v1",
      kind: "ModeChange",
      metadata: { name },
      spec: { pool: layout.poolName, to: "vxlan" },
    };
    const status = orders ? { ...DRIVEN, orders: given } : { ...DRIVEN, phase: "Done" as const };
    try {
      if (change) await stage.store.update<"ModeChange">({ ...change, status });
      else await stage.store.create<"ModeChange">({ ...fresh, status });
      return;
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}

async function guards(change: string): Promise<Map<string, Guard>> {
  const { items } = await stage.store.list("ModeEvidence");
  const own = items.filter(({ spec }) => spec.change === change);
  return new Map(
    own.flatMap(({ spec, status }) => (status?.guard ? [[spec.node, status.guard] as const] : [])),
  );
}

async function breaches(change: string): Promise<string[]> {
  return [...(await guards(change))]
    .flatMap(([node, guard]) => guard.breaches.map((one) => `${node} ${one.kind} ${one.node}`))
    .sort();
}

async function eventually<T>(what: string, limitMs: number, look: () => Promise<T | undefined>) {
  const untilMs = clock.monotonicMs() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (clock.monotonicMs() > untilMs)
      throw new RangeError(`${what} did not come within ${limitMs} ms`);
    await sleep(clock, 50);
  }
}

/** Every node has told that this step is quiet. */
async function quiet(change: string, step: number): Promise<void> {
  await eventually(`quiet step ${step}`, LIMIT_MS, async () => {
    const all = [...(await guards(change)).values()];
    assert.deepEqual(await breaches(change), []);
    return all.length === 3 && all.every((guard) => guard.step === step && guard.quiet)
      ? true
      : undefined;
  });
}

async function withFault<T>(
  spec: Parameters<typeof addFault>[1],
  act: (fault: LabFault) => Promise<T>,
) {
  const fault = await addFault(stage.lab, spec);
  try {
    return await act(fault);
  } finally {
    await removeFault(stage.lab, fault.id);
  }
}

const pidOf = async (node: string): Promise<number> => (await askAgent(agentSocket(node))).pid;
const agentSocket = (node: string) =>
  `/run/switchyard/lab-${stage.lab.name}/nodes/${node}/agent.sock`;

test("agents that end, stand still and start again are no breach; a cut way is, at both its ends", {
  skip,
}, async () => {
  await stage.driveByHand("by-hand");
  await order("by-hand", {});
  await quiet("by-hand", 1);
  await order("by-hand", { step: 2, moved: "all" });
  await quiet("by-hand", 2);

  await killAgent(stage.lab, "node2", "SIGKILL");
  const pid = await pidOf("node3");
  process.kill(pid, "SIGSTOP");
  await sleep(clock, 2_000);
  process.kill(pid, "SIGCONT");
  await sleep(clock, 2_000);
  await startAgent(stage.lab, "node2");
  await order("by-hand", { step: 3, moved: "all" });
  await quiet("by-hand", 3);
  assert.match((await guards("by-hand")).get("node2")?.blind?.join() ?? "", /started again/);

  await withFault({ kind: "drop-vxlan", between: ["node1", "node3"] }, async () => {
    await eventually("the breach", TOLD_MS, async () => {
      const seen = await breaches("by-hand");
      return seen.includes("node1 probe-loss node3") && seen.includes("node3 probe-loss node1")
        ? seen
        : undefined;
    });
  });
  for (const text of await breaches("by-hand"))
    assert.match(text, /^node[13] probe-loss node[13]$/);
  await order("by-hand", undefined);
});

test("a change without proof over a fabric that drops it goes back, and says where", {
  skip,
}, async () => {
  await withFault({ kind: "drop-vxlan", router: true }, async () => {
    const name = "unproved";
    await stage.store.create<"ModeChange">({
      apiVersion: "switchyard.io/v1",
      kind: "ModeChange",
      metadata: { name },
      spec: { pool: layout.poolName, to: "vxlan", canary: 1, skipProof: { reason: "test" } },
    });
    const status = await eventually("the end", LIMIT_MS, async () => {
      const { status } = await stage.store.get("ModeChange", name);
      return ["Done", "Refused", "RolledBack"].includes(status?.phase ?? "") ? status : undefined;
    });
    assert.equal(status?.phase, "RolledBack");
    assert.match(status?.reason ?? "", /node\d towards node\d: probe-loss: \d+ of \d+ packets/);
    assert.equal((await stage.store.get("IPPool", layout.poolName)).spec.vxlanMode, "Never");
  });
});
