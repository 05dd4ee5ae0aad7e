/** The state machine by a table: what is seen in which phase, and what is written then. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  ChangeOrders,
  ChangePhase,
  IPPool,
  ModeChange,
  ModeChangeSpec,
  ModeEvidence,
  Node,
  NodeMode,
  Trap,
  Verdict,
} from "../../model/index.ts";
import { waitsMs } from "./bounds.ts";
import { advance } from "./machine.ts";
import type { World } from "./types.ts";

const START_MS = Date.parse("2026-01-01T00:00:00Z");
const own = "switchyard.io/v1";

const pool = (spec: Partial<IPPool["spec"]> = {}, metadata = {}): IPPool => ({
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: { name: "pods", uid: "u1", resourceVersion: "7", ...metadata },
  spec: { cidr: "10.244.0.0/16", ipipMode: "Always", vxlanMode: "Never", ...spec },
});
const asVxlan = { ipipMode: "Never", vxlanMode: "Always" } as const;

type Word = NonNullable<NonNullable<NodeMode["status"]>["changes"]>[string];

function nodeMode(name: string, word: Word | undefined, mode = "IPIPAlways"): NodeMode {
  return {
    ...{ apiVersion: own, kind: "NodeMode", metadata: { name }, spec: {} },
    status: {
      ...{
        accepts: [],
        sends: [],
        destinations: {},
        failures: [],
        agentVersion: "v",
        updatedAt: "",
      },
      pools: { pods: { mode, resourceVersion: "7", realised: true, waiting: [] } },
      ...(word && { changes: { c: word } }),
    },
  };
}

function evidence(node: string, status: Partial<ModeEvidence["status"] & object>): ModeEvidence {
  const empty = { ready: true, problems: [], proved: "no" as const, results: [], heard: [] };
  const name = `c.${node}`;
  const spec = { change: "c", node };
  return {
    ...{ apiVersion: own, kind: "ModeEvidence", metadata: { name }, spec },
    status: { ...empty, updatedAt: "", ...status },
  };
}

function guard(quiet: boolean, breach?: string): Partial<ModeEvidence["status"] & object> {
  const probes = { sent: 1, lost: 0, rttP50Us: 1, rttP99Us: 1, longestGapMs: 1 };
  const breaches = breach ? [{ kind: "probe-loss" as const, message: breach }] : [];
  return { guard: { step: 5, quiet, breaches, probes, counters: {} } };
}

function nodesOf(...names: readonly string[]): Node[] {
  const calico = { apiVersion: "projectcalico.org/v3", kind: "Node", spec: {} } as const;
  return names.map((name) => ({ ...calico, metadata: { name } }));
}

interface Case {
  readonly name: string;
  readonly phase: ChangePhase;
  readonly spec?: Partial<ModeChangeSpec>;
  readonly orders?: Partial<ChangeOrders>;
  readonly status?: Partial<NonNullable<ModeChange["status"]>>;
  readonly world?: Partial<World>;
  /** Of both nodes. */
  readonly word?: Word;
  readonly mode?: string;
  readonly seen?: Partial<ModeEvidence["status"] & object>;
  readonly afterMs?: number;
  readonly wallMs?: number;
  /** Phase and a part of what is told; `wait`; `commit`. */
  readonly gives: readonly [ChangePhase, RegExp] | "wait" | "commit";
  readonly attention?: RegExp;
}

const trap: Trap = { code: "BAD", severity: "refuse", message: "bad", nodes: [], remedy: "" };
const moved = { widened: true, moved: true };
const still = { widened: true, moved: false };
const bothMoved = { moved: ["a", "b"], guard: true };
const confirmBy = "2026-01-01T00:10:00.000Z";

/** Of `a` and `b`, each with a breach towards that node. */
const breachedTowards = (node: string) => {
  const breaches = [{ kind: "probe-loss" as const, node, message: "lost" }];
  return { guard: { ...guard(true).guard!, breaches } };
};

const good: Verdict = {
  ...{ from: "172.16.0.0/24", to: "172.16.0.0/24", encapsulation: "vxlan" },
  ...{ pairs: 2, failed: 0, ok: true, message: "" },
};

const cases: readonly Case[] = [
  { name: "all is well", phase: "Planning", gives: ["Proving", /no traps/] },
  {
    name: "there is no pool",
    phase: "Planning",
    world: { pool: undefined },
    gives: ["Refused", /deleted/],
  },
  {
    name: "it is that mode already",
    phase: "Planning",
    spec: { to: "ipip" },
    gives: ["Done", /fully new already/],
  },
  {
    name: "the present mode is to be proved",
    phase: "Planning",
    spec: { to: "ipip", proveOnly: true },
    gives: ["Proving", /probed/],
  },
  {
    name: "the datastore would not store it",
    phase: "Planning",
    world: { pool: pool({ cidr: "fd00:244::/64", ipipMode: "Never" }) },
    ...{ spec: { to: "ipip" }, status: { from: "none" } },
    gives: ["Refused", /IPIP is not supported on IPv6 pools/],
  },
  {
    name: "another change has the pool",
    phase: "Planning",
    world: { holder: "first" },
    gives: ["Refused", /first is changing pool pods/],
  },
  {
    name: "another change has the probes",
    phase: "Planning",
    world: { probedFor: "first" },
    gives: "wait",
  },
  {
    name: "a trap forbids it",
    phase: "Planning",
    world: { findTraps: () => [trap] },
    gives: ["Refused", /BAD: bad/],
  },
  {
    name: "the trap is accepted",
    phase: "Planning",
    spec: { accepted: ["BAD"] },
    world: { findTraps: () => [trap] },
    gives: ["Proving", /BAD/],
  },
  { name: "a node is not where the pool is", phase: "Planning", mode: "None", gives: "wait" },
  {
    name: "a node does not come where the pool is",
    phase: "Planning",
    mode: "None",
    afterMs: waitsMs.settled,
    gives: ["Refused", /2 of 2 nodes have not come where pool pods is .*still plans with None/],
  },
  {
    name: "proof is skipped",
    phase: "Planning",
    spec: { skipProof: { reason: "haste" } },
    gives: ["Widening", /without proof: haste/],
  },
  {
    name: "a block is of another pool",
    phase: "Planning",
    spec: { blocks: ["10.9.0.0/26"] },
    gives: ["Refused", /10\.9\.0\.0\/26 is no block/],
  },
  {
    name: "a block is more than the pool",
    phase: "Planning",
    spec: { blocks: ["10.0.0.0/8"] },
    gives: ["Refused", /10\.0\.0\.0\/8 is no block/],
  },
  {
    name: "the operator has changed his mind",
    phase: "Planning",
    spec: { rollback: true },
    gives: ["RolledBack", /nothing has moved/],
  },
  {
    name: "first packets are not sent",
    phase: "Proving",
    orders: { prove: "first" },
    gives: "wait",
  },
  {
    name: "first packets are sent",
    phase: "Proving",
    orders: { prove: "first" },
    seen: { proved: "first" },
    gives: ["Proving", /first packets are sent/],
  },
  {
    name: "first packets are never sent",
    phase: "Proving",
    orders: { prove: "first" },
    seen: { problems: ["no address"] },
    afterMs: waitsMs.proveFirst,
    gives: ["Refused", /a: no address/],
  },
  {
    name: "all is proved",
    phase: "Proving",
    orders: { prove: "full" },
    seen: { proved: "full" },
    world: { judgeProof: () => [good] },
    gives: ["Widening", /carries vxlan: 2 pairs/],
  },
  {
    name: "a single node sends to nobody, and the fabric is not said to carry anything",
    phase: "Proving",
    spec: { proveOnly: true },
    orders: { prove: "full" },
    seen: { proved: "full" },
    gives: ["Done", /^fully old, as asked: there is nothing to prove: no two nodes/],
  },
  {
    name: "only proof was asked for",
    phase: "Proving",
    spec: { proveOnly: true },
    orders: { prove: "full" },
    seen: { proved: "full" },
    gives: ["Done", /fully old, as asked/],
  },
  {
    name: "a packet is lost to a node that has left, or by it",
    phase: "AwaitingConfirm",
    status: { confirmBy },
    orders: bothMoved,
    word: moved,
    seen: breachedTowards("gone"),
    gives: "wait",
  },
  {
    name: "a packet is lost to a node that is there",
    phase: "AwaitingConfirm",
    status: { confirmBy },
    orders: bothMoved,
    word: moved,
    seen: breachedTowards("b"),
    gives: ["RollingBack", /a towards b: probe-loss: lost/],
  },
  {
    name: "all have realised it, but for a node without an agent that came meanwhile",
    phase: "Narrowing",
    status: { committed: true },
    mode: "VXLANAlways",
    world: { pool: pool(asVxlan), nodes: nodesOf("a", "b", "new") },
    gives: ["Done", /2 of 2 nodes/],
    attention: /obey no orders.*: new$/,
  },
  {
    name: "an agent says nothing",
    phase: "Widening",
    afterMs: waitsMs.widened,
    gives: ["Refused", /says nothing of this change: is its agent \(v\)/],
  },
  {
    name: "a node waits",
    phase: "Widening",
    word: { widened: false, moved: false, waiting: ["no device"] },
    afterMs: waitsMs.widened,
    gives: ["Refused", /a: no device/],
  },
  {
    name: "it is paused before the canary",
    phase: "Widening",
    spec: { paused: true },
    word: still,
    orders: { guard: true },
    seen: guard(true),
    gives: "wait",
  },
  {
    name: "all are widened",
    phase: "Widening",
    word: still,
    orders: { guard: true },
    seen: guard(true),
    gives: ["Canary", /the canary moves/],
  },
  {
    name: "there is no canary",
    phase: "Widening",
    spec: { canary: 0 },
    word: still,
    orders: { guard: true },
    seen: guard(true),
    gives: ["Rolling", /wave 1/],
  },
  {
    name: "blocks go first",
    phase: "Widening",
    spec: { blocks: ["10.244.1.0/26"] },
    word: still,
    orders: { guard: true },
    seen: guard(true),
    gives: ["Canary", /block 10\.244\.1\.0\/26/],
  },
  { name: "a wave is on its way", phase: "Rolling", word: still, orders: bothMoved, gives: "wait" },
  {
    name: "a wave has moved and is not quiet",
    phase: "Rolling",
    word: moved,
    orders: bothMoved,
    seen: guard(false),
    gives: "wait",
  },
  {
    name: "a wave does not move",
    phase: "Rolling",
    word: still,
    orders: bothMoved,
    afterMs: waitsMs.wave,
    gives: ["RollingBack", /has not moved yet/],
  },
  {
    name: "the last wave is quiet",
    phase: "Rolling",
    word: moved,
    orders: bothMoved,
    seen: guard(true),
    gives: ["Verifying", /every wave/],
  },
  {
    name: "it is paused for ever",
    phase: "Rolling",
    spec: { paused: true },
    word: moved,
    orders: bothMoved,
    seen: guard(true),
    afterMs: waitsMs.paused,
    gives: ["RollingBack", /paused for 24 h/],
  },
  {
    name: "a guard sees something",
    phase: "Rolling",
    word: moved,
    orders: bothMoved,
    seen: guard(false, "2 lost"),
    gives: ["RollingBack", /a: probe-loss: 2 lost/],
  },
  {
    name: "another hand writes another mode",
    phase: "Rolling",
    word: moved,
    orders: bothMoved,
    world: { pool: pool({ ipipMode: "Never" }) },
    gives: ["RollingBack", /another hand wrote none/],
  },
  {
    name: "another hand writes the new mode",
    phase: "Rolling",
    word: moved,
    orders: bothMoved,
    world: { pool: pool(asVxlan) },
    gives: ["Narrowing", /that commits the change/],
  },
  {
    name: "the pool is made anew",
    phase: "Rolling",
    word: moved,
    orders: bothMoved,
    world: { pool: pool({}, { uid: "u2" }) },
    gives: ["RollingBack", /made anew/],
  },
  {
    name: "all is verified",
    phase: "Verifying",
    word: moved,
    orders: { moved: "all", guard: true },
    seen: guard(true),
    gives: ["AwaitingConfirm", /within 10 min/],
  },
  {
    name: "it was confirmed from the start",
    phase: "Verifying",
    spec: { confirmed: true },
    word: moved,
    orders: { moved: "all", guard: true },
    seen: guard(true),
    gives: ["Narrowing", /no way back/],
  },
  {
    name: "nobody confirms",
    phase: "AwaitingConfirm",
    orders: bothMoved,
    status: { confirmBy },
    wallMs: 600_000,
    gives: ["RollingBack", /nobody confirmed/],
  },
  {
    name: "nobody confirms, and the wall clock was set back",
    phase: "AwaitingConfirm",
    orders: bothMoved,
    status: { confirmBy },
    wallMs: -3_600_000,
    afterMs: 600_000,
    gives: ["RollingBack", /nobody confirmed/],
  },
  {
    name: "there is still time",
    phase: "AwaitingConfirm",
    orders: bothMoved,
    status: { confirmBy },
    wallMs: 599_000,
    afterMs: 599_000,
    gives: "wait",
  },
  { name: "the pool is as it was", phase: "Narrowing", orders: bothMoved, gives: "commit" },
  {
    name: "the pool has another revision",
    phase: "Narrowing",
    orders: bothMoved,
    world: { pool: pool({}, { resourceVersion: "8" }) },
    gives: ["RollingBack", /while it was to be committed/],
  },
  {
    name: "the pool is written",
    phase: "Narrowing",
    orders: bothMoved,
    world: { pool: pool(asVxlan) },
    gives: ["Narrowing", /says vxlan now/],
  },
  {
    name: "all have realised it",
    phase: "Narrowing",
    orders: bothMoved,
    status: { committed: true },
    world: { pool: pool(asVxlan) },
    mode: "VXLANAlways",
    gives: ["Done", /fully new: .* 2 of 2/],
  },
  {
    name: "a node never realises it",
    phase: "Narrowing",
    orders: bothMoved,
    status: { committed: true },
    world: { pool: pool(asVxlan) },
    afterMs: waitsMs.realised,
    gives: ["Done", /fully new, but for 2 of 2/],
  },
  {
    name: "it was committed and patched",
    phase: "Narrowing",
    orders: bothMoved,
    status: { committed: true },
    gives: ["Done", /was committed; afterwards/],
  },
  {
    name: "rollback comes too late",
    phase: "Narrowing",
    spec: { rollback: true },
    orders: bothMoved,
    gives: "commit",
  },
  {
    name: "nodes are on their way back",
    phase: "RollingBack",
    orders: {},
    word: moved,
    gives: "wait",
  },
  {
    name: "nodes are back",
    phase: "RollingBack",
    orders: {},
    word: still,
    gives: ["RollingBack", /nothing is ordered any more/],
  },
  {
    name: "nodes have not seen the end of the orders",
    phase: "RollingBack",
    word: still,
    gives: "wait",
  },
  {
    name: "nodes never see the end of the orders",
    phase: "RollingBack",
    word: still,
    afterMs: waitsMs.withdrawn,
    gives: ["RolledBack", /but for 2 of 2 nodes: why/],
  },
  { name: "all is as it was", phase: "RollingBack", gives: ["RolledBack", /^fully old: why$/] },
  {
    name: "a judge fails",
    phase: "Proving",
    orders: { prove: "full" },
    world: { fault: "what?" },
    gives: ["Refused", /cannot be judged: what\?/],
  },
];

const base: ChangeOrders = {
  ...{ step: 5, widen: true, prove: "no", guard: false, moved: [], key: "00" },
};

for (const it of cases) {
  test(`${it.phase}: ${it.name}`, () => {
    const change: ModeChange = {
      ...{ apiVersion: own, kind: "ModeChange", metadata: { name: "c" } },
      spec: { pool: "pods", to: "vxlan", ...it.spec },
      status: {
        ...{ phase: it.phase, phaseSince: "", from: "ipip", history: [], reason: "why" },
        ...{ poolResourceVersion: "7", poolUid: "u1", waves: [["a"], ["b"]] },
        ...(it.orders && { orders: { ...base, ...it.orders } }),
        ...((it.phase === "Widening" || it.phase === "Planning") && { waves: undefined }),
        ...(it.phase === "Widening" && { orders: { ...base, ...it.orders } }),
        ...it.status,
      },
    };
    const names = ["a", "b"];
    const world: World = {
      pool: pool(),
      mesh: undefined,
      nodes: nodesOf(...names),
      nodeModes: new Map(names.map((name) => [name, nodeMode(name, it.word, it.mode)])),
      evidence: new Map(it.seen ? names.map((name) => [name, evidence(name, it.seen ?? {})]) : []),
      ...{ holder: "c", probedFor: "c", commitRefused: undefined, fault: undefined },
      findTraps: () => [],
      judgeProof: () => [],
      ...it.world,
    };
    const { afterMs = 0, wallMs = 0 } = it;
    const answer = advance(change, world, {
      ...{ wallMs: START_MS + wallMs, stageForMs: afterMs, key: "00" },
    });
    if (typeof it.gives === "string") {
      assert.equal(answer.kind, it.gives);
      return;
    }
    assert.ok(answer.kind === "status", answer.kind);
    const [phase, told] = it.gives;
    const { status } = answer;
    assert.equal(status.phase, phase);
    if (it.attention) assert.match(status.attention?.join() ?? "", it.attention);
    const ended = phase === "Done" || phase === "Refused" || phase === "RolledBack";
    assert.match((ended ? status.reason : status.history.at(-1)?.message) ?? "", told);
    if (ended) assert.equal(status.orders, undefined);
    assert.equal(status.history.length, 1);
  });
}
