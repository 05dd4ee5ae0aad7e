/**
 * A cluster on one fake clock: a real datastore in memory, real drivers, each with collections and a fault of its
 * own, and simulated agents. Watches every write for what must never happen.
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import {
  Collection,
  type Datastore,
  openSqliteStore,
  withRules,
} from "../../../datastore/index.ts";
import { type Clock, FakeClock } from "../../../lib/index.ts";
import { silentLog } from "../../../lib/log/index.ts";
import {
  type IPPoolSpec,
  type Kind,
  type ModeChange,
  type ModeName,
  modeName,
  type NodeModeStatus,
  type ResourceOf,
  type Trap,
  type Verdict,
} from "../../../model/index.ts";
import { Driver } from "../driver.ts";
import type { KeptCollections } from "../observed.ts";
import { hasEnded } from "../write.ts";
import { FaultyStore, type Judge } from "./faulty-store.ts";
import { type Choose, type Seen, SimulatedAgent } from "./simulated-agent.ts";

const calico = "projectcalico.org/v3";
export const POOL = "pods";

/** A wall clock that somebody sets, over time that only goes on. */
class WallClock implements Clock {
  offsetMs = 0;
  readonly #inner: Clock;
  constructor(inner: Clock) {
    this.#inner = inner;
  }
  now(): number {
    return this.#inner.now() + this.offsetMs;
  }
  monotonicMs(): number {
    return this.#inner.monotonicMs();
  }
  schedule(delayMs: number, callback: () => void) {
    return this.#inner.schedule(delayMs, callback);
  }
}

export class DriverProcess {
  readonly store: FaultyStore;
  readonly clock: WallClock;
  readonly driver: Driver;
  readonly collections: KeptCollections;

  constructor(options: {
    readonly inner: Datastore;
    readonly clock: Clock;
    readonly node: string;
    readonly identity: string;
    readonly judgeProof: () => readonly Verdict[];
    readonly findTraps: () => readonly Trap[];
    readonly judge: Judge;
  }) {
    const { inner, node, identity, judgeProof, findTraps, judge } = options;
    this.store = new FaultyStore(inner, judge);
    this.clock = new WallClock(options.clock);
    const { store, clock } = this;
    const collection = <K extends Kind>(kind: K) =>
      new Collection({ store, clock, log: silentLog, kind });
    this.collections = {
      nodes: collection("Node"),
      pools: collection("IPPool"),
      nodeModes: collection("NodeMode"),
      modeChanges: collection("ModeChange"),
      bgpConfigurations: collection("BGPConfiguration"),
    };
    this.driver = new Driver({
      ...{ store, clock, log: silentLog, node, identity, collections: this.collections },
      judges: { findTraps, judgeProof },
      newKey: () => "00".repeat(32),
    });
    for (const one of Object.values(this.collections)) one.start();
    this.driver.start();
  }

  /** As `kill -9`. */
  kill(): void {
    this.store.die();
    void this.stop();
  }

  async stop(): Promise<void> {
    await this.driver.stop();
    await Promise.all(Object.values(this.collections).map((one) => one.stop()));
  }
}

export interface SimulationOptions {
  /** Node names by subnet. */
  readonly subnets: Readonly<Record<string, readonly string[]>>;
  readonly drivers: number;
  readonly settleMs?: number;
  readonly choose?: Choose;
  /** How far time goes at once while nothing happens; 3 s unless told. */
  readonly idleMs?: number;
}

/**
 * What no driver may ever write: an order to send before all have said that they receive, and a pool before it is
 * stored that there is no way back.
 */
async function checkWrite(
  inner: Datastore,
  resource: ResourceOf<Kind>,
  exempt: ReadonlySet<string>,
): Promise<void> {
  const changes = (await inner.list("ModeChange")).items;
  if (resource.kind === "IPPool") {
    // Where somebody has deleted the change meanwhile, there is nothing that could say so.
    const narrowing =
      changes.length === 0 || changes.some(({ status }) => status?.phase === "Narrowing");
    assert.ok(narrowing, "a driver writes the pool before Narrowing is stored");
    const stored = await inner.get("IPPool", resource.metadata.name);
    const foreseen = changes.some(
      ({ status }) => status?.poolResourceVersion === stored.metadata.resourceVersion,
    );
    assert.ok(foreseen || changes.length === 0, "a driver overwrites another hand's word");
  }
  if (resource.kind !== "ModeChange") return;
  const change = resource as unknown as ModeChange;
  const { name } = change.metadata;
  const before = changes.find(({ metadata }) => metadata.name === name)?.status?.orders;
  const said = changes.find(({ metadata }) => metadata.name === name)?.status?.history.length ?? 0;
  assert.equal(change.status?.history.length, said + 1, "each write of the status says one thing");
  const moved = change.status?.orders?.moved ?? [];
  if (moved.length === 0 || (before?.moved ?? []).length > 0) return;
  const nodes = new Set((await inner.list("Node")).items.map(({ metadata }) => metadata.name));
  for (const { metadata, status } of (await inner.list("NodeMode")).items) {
    if (!nodes.has(metadata.name) || exempt.has(metadata.name)) continue;
    const widened = status?.changes?.[name]?.widened;
    assert.ok(widened, `${metadata.name} was not widened when the first node was told to move`);
  }
}

function counting(inner: Datastore, count: (kind: Kind) => void): Datastore {
  return {
    get: inner.get.bind(inner),
    list: inner.list.bind(inner),
    watch: inner.watch.bind(inner),
    close: inner.close.bind(inner),
    create: async (resource) => {
      const created = await inner.create(resource);
      count(resource.kind);
      return created;
    },
    update: async (resource) => {
      const updated = await inner.update(resource);
      count(resource.kind);
      return updated;
    },
    delete: async (kind, name, options) => {
      const deleted = await inner.delete(kind, name, options);
      count(kind);
      return deleted;
    },
  };
}

export class Simulation {
  readonly clock = new FakeClock(1_800_000_000_000);
  readonly base: Datastore;
  readonly store: Datastore;
  /** Nodes that came, or whose word was erased, while a change ran: the driver may not have seen it. */
  readonly exempt = new Set<string>();
  readonly agents = new Map<string, SimulatedAgent>();
  readonly drivers: DriverProcess[] = [];
  readonly #options: SimulationOptions;
  /** What the proof finds. */
  verdicts: readonly Verdict[] = [];
  traps: readonly Trap[] = [];
  /** What should never have been written. */
  readonly crimes: string[] = [];
  /** Modes that drivers have written to the pool. */
  readonly commits: ModeName[] = [];
  #identities = 0;
  readonly writes = new Map<Kind, number>();
  /** Writes that agents may see, and how many they have seen. */
  #changes = 0;
  #seenChanges = -1;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.base = withRules(openSqliteStore(":memory:", { clock: this.clock }), {
      clock: this.clock,
    });
    this.store = counting(this.base, (kind) => {
      this.writes.set(kind, (this.writes.get(kind) ?? 0) + 1);
      if (kind !== "Lease") this.#changes++;
    });
  }

  async start(): Promise<void> {
    await this.store.create<"IPPool">({
      apiVersion: calico,
      kind: "IPPool",
      metadata: { name: POOL },
      spec: { cidr: "10.244.0.0/16", ipipMode: "Always" },
    });
    for (const [subnet, nodes] of Object.entries(this.#options.subnets)) {
      for (const [index, node] of nodes.entries()) {
        await this.join(node, `${subnet}.${index + 1}/24`);
      }
    }
    for (let i = 0; i < this.#options.drivers; i++)
      this.addDriver([...this.agents.keys()][i] ?? "");
    // Everybody has come to where the pool is.
    await this.run(3_000);
    this.exempt.clear();
  }

  async join(node: string, ipv4Address: string): Promise<void> {
    await this.store.create<"Node">({
      apiVersion: calico,
      kind: "Node",
      metadata: { name: node },
      spec: { bgp: { ipv4Address } },
    });
    const { settleMs, choose } = this.#options;
    const { store } = this;
    const now = () => this.clock.monotonicMs();
    const agent = new SimulatedAgent({
      node,
      store,
      now,
      ...(settleMs && { settleMs }),
      ...(choose && { choose }),
    });
    this.exempt.add(node);
    this.agents.set(node, agent);
  }

  async leave(node: string): Promise<void> {
    await this.store.delete("Node", node);
    this.agents.delete(node);
  }

  addDriver(node: string): DriverProcess {
    const process = new DriverProcess({
      inner: this.store,
      clock: this.clock,
      node,
      identity: `${node}/${++this.#identities}`,
      judgeProof: () => this.verdicts,
      findTraps: () => this.traps,
      judge: async (resource) => {
        const crimes = await checkWrite(this.base, resource, this.exempt).then(
          () => [],
          (error) => [String(error)],
        );
        return () => {
          this.crimes.push(...crimes);
          if (resource.kind === "IPPool") this.commits.push(modeName(resource.spec as IPPoolSpec));
        };
      },
    });
    this.drivers.push(process);
    return process;
  }

  /** Something has changed that is not in the datastore. */
  stir(): void {
    this.#changes++;
  }

  async change(name: string): Promise<ModeChange | undefined> {
    const { items } = await this.base.list("ModeChange");
    return items.find(({ metadata }) => metadata.name === name);
  }

  async ended(name: string): Promise<boolean> {
    const found = await this.change(name);
    return found === undefined || (found.status !== undefined && hasEnded(found.status.phase));
  }

  /** Lets so much time pass; agents look whenever something has changed. */
  async run(ms: number, until?: () => Promise<boolean>): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    let still = 0;
    while (this.clock.monotonicMs() < endMs) {
      const quiet = !(await this.#look());
      still = quiet ? still + 1 : 0;
      // Where nothing happens, time may pass more quickly.
      const { idleMs = 3_000 } = this.#options;
      await this.clock.advance(still > 20 ? idleMs : 100);
      await setImmediate();
      if (until && (await until())) return;
    }
  }

  /** Whoever was ill or away is well; then nothing is left to do. */
  async heal(): Promise<void> {
    for (const agent of this.agents.values()) {
      agent.away = false;
      agent.refusesToReceive = undefined;
      agent.refusesToSend = undefined;
    }
    this.stir();
    await this.run(10_000);
  }

  async #look(): Promise<boolean> {
    const due = [...this.agents.values()].some(({ dueMs }) => dueMs <= this.clock.monotonicMs());
    const upTo = this.#changes;
    if (!due && upTo === this.#seenChanges) return false;
    const [pools, changes, nodes, modes] = await Promise.all([
      this.base.list("IPPool"),
      this.base.list("ModeChange"),
      this.base.list("Node"),
      this.base.list("NodeMode"),
    ]);
    const nodeModes = new Map<string, NodeModeStatus>();
    for (const { metadata, status } of modes.items) {
      if (status) nodeModes.set(metadata.name, status);
    }
    const seen: Seen = {
      pool: pools.items.find(({ metadata }) => metadata.name === POOL),
      changes: changes.items,
      nodes: new Set(nodes.items.map(({ metadata }) => metadata.name)),
      nodeModes,
    };
    for (const agent of this.agents.values()) await agent.look(seen);
    this.#seenChanges = upTo;
    this.#checkKernels(seen);
    return true;
  }

  /** Nobody ever sends what its destination does not receive. */
  #checkKernels({ nodes }: Seen): void {
    for (const agent of this.agents.values()) {
      for (const [node, sent] of agent.sends) {
        const receiver = this.agents.get(node);
        if (!receiver || !nodes.has(node) || sent === "none") continue;
        const text = `${agent.node} sends ${sent} to ${node}, which receives ${[...receiver.receives]}`;
        assert.ok(receiver.receives.has(sent), text);
      }
    }
  }

  async stop(): Promise<void> {
    let stopped = false;
    const all = Promise.all(this.drivers.map((driver) => driver.stop())).then(() => {
      stopped = true;
    });
    // Who sleeps is let sleep on, as long as he likes.
    while (!stopped) {
      await this.clock.advance(10_000);
      await setImmediate();
    }
    await all;
    await this.base.close();
  }
}
