/**
 * An agent with a made-up kernel: obeys orders and the protocol of accepting first, in one indivisible step each
 * time it looks. What it sends to every other node is its whole kernel.
 */

import type { Datastore } from "../../../datastore/index.ts";
import { hasCode } from "../../../lib/index.ts";
import {
  type Encapsulation,
  type IPPool,
  type ModeChange,
  type ModeEvidence,
  type ModeName,
  modeFields,
  modeName,
  type NodeMode,
  type NodeModeStatus,
  poolMode,
} from "../../../model/index.ts";

const wireOf: Readonly<Record<ModeName, Encapsulation>> = {
  ipip: "ipip",
  "ipip-cross-subnet": "ipip",
  vxlan: "vxlan",
  "vxlan-cross-subnet": "vxlan",
  none: "none",
};

/** What all agents read; each would watch it. */
export interface Seen {
  readonly pool: IPPool | undefined;
  readonly changes: readonly ModeChange[];
  readonly nodes: ReadonlySet<string>;
  readonly nodeModes: ReadonlyMap<string, NodeModeStatus>;
}

/** What a node sends to each other one, where the plan says so: a planner, in place of a rule of thumb. */
export type Choose = (situation: {
  readonly node: string;
  readonly seen: Seen;
  readonly mode: ModeName;
  readonly sends: ReadonlyMap<string, Encapsulation>;
}) => ReadonlyMap<string, Encapsulation>;

/** Causes named; the rest is counted, as in the real agent. */
const MOST_CAUSES = 8;

export class SimulatedAgent {
  readonly node: string;
  readonly #store: Datastore;
  readonly #now: () => number;
  readonly #choose: Choose;
  /** What its kernel sends to each other node. */
  readonly sends = new Map<string, Encapsulation>();
  receives = new Set<Encapsulation>(["none"]);
  /** Its kernel takes no new receive path of this kind, or no route. */
  refusesToReceive: Encapsulation | undefined;
  refusesToSend: Encapsulation | undefined;
  /** It does nothing, and its kernel goes on. */
  away = false;
  /** It knows nothing of changes. */
  old = false;
  breach: string | undefined;
  /** Time from an order to quiet. */
  readonly settleMs: number;
  #stepSeen = { key: "", sinceMs: 0 };
  #mode: { status: NodeModeStatus; text: string } | undefined;
  readonly #evidence = new Map<string, string>();
  /** When it has something to do although nothing changes. */
  dueMs = Number.POSITIVE_INFINITY;

  constructor(options: {
    readonly node: string;
    readonly store: Datastore;
    readonly now: () => number;
    readonly settleMs?: number;
    readonly choose?: Choose;
  }) {
    this.node = options.node;
    this.#store = options.store;
    this.#now = options.now;
    this.settleMs = options.settleMs ?? 2_000;
    this.#choose = options.choose ?? chooseByRule;
  }

  /** Looks once, and does all that it may. */
  async look(seen: Seen): Promise<void> {
    this.dueMs = Number.POSITIVE_INFINITY;
    if (this.away || !seen.nodes.has(this.node)) return;
    const { pool } = seen;
    const running = this.old ? [] : seen.changes.filter(({ status }) => status?.orders);
    const change = running.find(({ spec }) => spec.pool === pool?.metadata.name);
    const named = change !== undefined && isNamed(change, this.node);
    const stored = pool && modeName(pool.spec);
    const mode = named ? (change.spec.to ?? stored) : stored;
    const needed = new Set<Encapsulation>(["none", ...this.sends.values()]);
    for (const [node, { sends }] of seen.nodeModes) {
      if (seen.nodes.has(node)) for (const sent of sends) needed.add(sent);
    }
    for (const name of [stored, mode, change?.spec.to]) if (name) needed.add(wireOf[name]);
    const { refusesToReceive: refused } = this;
    if (refused && !this.receives.has(refused)) needed.delete(refused);
    this.receives = needed;
    for (const node of [...this.sends.keys()]) if (!seen.nodes.has(node)) this.sends.delete(node);
    const able = mode !== undefined && wireOf[mode] !== this.refusesToSend ? mode : undefined;
    const willSend = new Set([...this.sends.values(), ...(able ? [wireOf[able]] : [])]);
    // Said, and read back, before the first route moves.
    await this.#say(seen, { sends: [...willSend], change, named, pool, mode });
    if (able) {
      const chosen = this.#choose({ node: this.node, seen, mode: able, sends: this.sends });
      for (const [node, sent] of chosen) this.sends.set(node, sent);
    }
    await this.#say(seen, { sends: [...new Set(this.sends.values())], change, named, pool, mode });
    if (change) await this.#observe(change);
  }

  async #say(
    seen: Seen,
    word: {
      readonly sends: Encapsulation[];
      readonly change: ModeChange | undefined;
      readonly named: boolean;
      readonly pool: IPPool | undefined;
      readonly mode: ModeName | undefined;
    },
  ): Promise<void> {
    const { change, named, pool, mode } = word;
    const wire = mode && wireOf[mode];
    const late = [...seen.nodes].filter(
      (node) => node !== this.node && this.sends.get(node) !== wire,
    );
    const realised = late.length === 0;
    const to = change?.spec.to;
    const widened = to !== undefined && this.receives.has(wireOf[to]);
    const status: NodeModeStatus = {
      accepts: [...this.receives].sort(),
      sends: [...word.sends].sort(),
      destinations: {},
      pools: pool
        ? {
            [pool.metadata.name]: {
              mode: poolMode(mode ? modeFields(mode) : pool.spec),
              resourceVersion: pool.metadata.resourceVersion ?? "",
              realised,
              waiting: late
                .slice(0, MOST_CAUSES)
                .map((node) => `${node} does not accept ${wire} yet`),
            },
          }
        : {},
      ...(change && {
        changes: { [change.metadata.name]: { widened, moved: named && realised } },
      }),
      failures: this.refusesToSend === wire && wire ? [`route: ${wire} refused`] : [],
      agentVersion: "simulated",
      updatedAt: "",
    };
    const text = JSON.stringify(status);
    if (text === this.#mode?.text && seen.nodeModes.has(this.node)) return;
    await put<"NodeMode">(this.#store, {
      apiVersion: "switchyard.io/v1",
      kind: "NodeMode",
      metadata: { name: this.node },
      spec: {},
      status,
    });
    this.#mode = { status, text };
    (seen.nodeModes as Map<string, NodeModeStatus>).set(this.node, status);
  }

  /** Proof and guard. */
  async #observe({ metadata: { name }, status }: ModeChange): Promise<void> {
    const orders = status?.orders;
    const widened = this.#mode?.status.changes?.[name]?.widened === true;
    if (!orders || (!orders.guard && orders.prove === "no")) return;
    const key = `${name}/${orders.step}`;
    if (this.#stepSeen.key !== key) this.#stepSeen = { key, sinceMs: this.#now() };
    const quietAtMs = this.#stepSeen.sinceMs + this.settleMs;
    const quiet = this.#now() >= quietAtMs;
    if (orders.guard && !quiet) this.dueMs = quietAtMs;
    if (orders.guard && !quiet && this.breach === undefined) return;
    const { breach } = this;
    const breaches = breach === undefined ? [] : [{ kind: "probe-loss" as const, message: breach }];
    const probes = { sent: 0, lost: 0, rttP50Us: 0, rttP99Us: 0, longestGapMs: 0 };
    const evidence = {
      ready: widened,
      problems: widened ? [] : ["it does not receive the new way"],
      proved: widened ? orders.prove : "no",
      ...{ results: [], heard: [], updatedAt: "" },
      ...(orders.guard && {
        guard: { step: orders.step, quiet: quiet && !breach, breaches, probes, counters: {} },
      }),
    } satisfies ModeEvidence["status"];
    const text = JSON.stringify(evidence);
    if (this.#evidence.get(name) === text) return;
    await put<"ModeEvidence">(this.#store, {
      apiVersion: "switchyard.io/v1",
      kind: "ModeEvidence",
      metadata: { name: `${name}.${this.node}` },
      spec: { change: name, node: this.node },
      status: evidence,
    });
    this.#evidence.set(name, text);
  }

  /** Somebody deleted what it had written. */
  forget(): void {
    this.#mode = undefined;
    this.#evidence.clear();
  }
}

const chooseByRule: Choose = ({ node: own, seen, mode, sends }) => {
  const wire = wireOf[mode];
  const takers = [...seen.nodes].filter((node) => {
    if (node === own) return false;
    const takes = seen.nodeModes.get(node)?.accepts.includes(wire);
    return takes || (!sends.has(node) && wire === "none");
  });
  return new Map(takers.map((node) => [node, wire]));
};

function isNamed({ status }: ModeChange, node: string): boolean {
  const moved = status?.orders?.moved ?? [];
  return moved === "all" || moved.includes(node);
}

async function put<K extends "NodeMode" | "ModeEvidence">(
  store: Datastore,
  resource: K extends "NodeMode" ? NodeMode : ModeEvidence,
): Promise<void> {
  const { kind, metadata } = resource;
  try {
    const stored = await store.get(kind, metadata.name);
    await store.update({ ...resource, metadata: stored.metadata } as NodeMode);
  } catch (error) {
    if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
    await store.create(resource as NodeMode);
  }
}
