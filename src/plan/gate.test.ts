import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatPrefix, isPrefix4 } from "../lib/index.ts";
import { type Encapsulation, encapsulations } from "../model/index.ts";
import { poolTunnel } from "./encapsulation.ts";
import { type GateState, initialGate, stepGate } from "./gate.ts";
import { plan } from "./plan.ts";
import { dualStackSnapshot, pool6Fact, poolFact } from "./testing/snapshot.ts";
import type { PoolFacts } from "./types.ts";

const drainMs = 1000;
const step = (
  state: GateState,
  needed: Encapsulation[],
  published: Encapsulation[],
  nowMs: number,
) =>
  stepGate(state, {
    needed: new Set(needed),
    publishedAccepts: new Set(published),
    silentSenders: false,
    nowMs,
    drainMs,
  });

test("a needed tunnel opens at once and is offered", () => {
  const { receive, offer } = step(new Map(), ["ipip"], [], 0);
  assert.deepEqual([receive, offer], [["ipip"], ["ipip"]]);
});

test("a tunnel that is not needed is withdrawn first and received on", () => {
  const { receive, offer, wakeAtMs } = step(initialGate(["ipip"]), [], ["none", "ipip"], 0);
  assert.deepEqual([receive, offer, wakeAtMs], [["ipip"], [], undefined]);
});

test("the drain begins when the withdrawal can be read, and then the tunnel closes", () => {
  let out = step(initialGate(["ipip"]), [], ["ipip"], 0);
  out = step(out.state, [], ["none"], 5000);
  assert.deepEqual([out.receive, out.wakeAtMs], [["ipip"], 6000]);
  out = step(out.state, [], ["none"], 5999);
  assert.deepEqual(out.receive, ["ipip"]);
  out = step(out.state, [], ["none"], 6000);
  assert.deepEqual(out.receive, []);
});

test("a tunnel is received on while another node has not said what it sends", () => {
  const input = { needed: new Set<Encapsulation>(), publishedAccepts: new Set(["none" as const]) };
  const silent = { ...input, nowMs: 0, drainMs, silentSenders: true };
  let out = stepGate(initialGate(["ipip"]), silent);
  out = stepGate(out.state, { ...silent, nowMs: 60_000 });
  assert.deepEqual([out.receive, out.offer, out.wakeAtMs], [["ipip"], [], undefined]);
  out = stepGate(out.state, { ...silent, nowMs: 60_000, silentSenders: false });
  assert.deepEqual([out.receive, out.wakeAtMs], [["ipip"], 61_000]);
  assert.deepEqual(stepGate(new Map(), silent).receive, [], "what is closed stays closed");
});

test("a tunnel needed again while it drains is offered again, and drains anew next time", () => {
  let out = step(initialGate(["ipip"]), [], ["none"], 0);
  out = step(out.state, ["ipip"], ["none"], 500);
  assert.deepEqual(out.offer, ["ipip"]);
  out = step(out.state, [], ["none"], 2000);
  assert.deepEqual([out.receive, out.wakeAtMs], [["ipip"], 3000]);
});

/**
 * The protocol as a whole: two nodes, a pool of each family that changes at random, a store that orders writes,
 * watches that lag as they like, and every step of a node's pass interleaved with the others'.
 * Nobody may ever send what its destination's kernel does not receive.
 */
type Mode = Pick<PoolFacts, "ipipMode" | "vxlanMode">;
const modes: readonly Mode[] = [
  { ipipMode: "Always", vxlanMode: "Never" },
  { ipipMode: "Never", vxlanMode: "Never" },
  { ipipMode: "CrossSubnet", vxlanMode: "Never" },
  { ipipMode: "Never", vxlanMode: "Always" },
  { ipipMode: "Never", vxlanMode: "CrossSubnet" },
];

const everything = encapsulations;

/** Both pools of a dual-stack cluster; each is patched by itself. */
interface Pools {
  readonly four: Mode;
  readonly six: Mode;
}
const firstPools: Pools = { four: modes[0]!, six: modes[1]! };
const modes6 = modes.filter(({ ipipMode }) => ipipMode === "Never");
const poolsOf = ({ four, six }: Pools) => [poolFact(four), pool6Fact(six)];

/** A change of the IPv4 pool: what some nodes, or all towards some blocks, are ordered to do before the pool says so. */
interface Orders {
  readonly to: Mode;
  readonly moved: readonly string[];
  /** Owners of the blocks that everybody sends the new way. */
  readonly blocks: readonly string[];
}

/** Both blocks of each node. */
const template = dualStackSnapshot();
const blocks = template.blocks.filter(({ node }) => node === "node1" || node === "node3");
/** What the others learn of node1, which the template is seen from. */
const ownLearned = blocks
  .filter(({ node }) => node === "node1")
  .map(({ prefix }) => {
    const { ipv4, ipv6 } = template.nodes[0]!;
    return { prefix, nextHop: isPrefix4(prefix) ? ipv4!.address : ipv6!.address };
  });
const ownerOf = new Map(blocks.map(({ prefix, node }) => [formatPrefix(prefix), node]));

interface Published {
  accepts: Encapsulation[];
  sends: Encapsulation[];
}

class Simulation {
  /** Every write, in the datastore's order: [writer or "pool", value]. */
  readonly log: (
    | { pools: Pools }
    | { orders: Orders | undefined }
    | { node: string; mode: Published | undefined }
  )[] = [{ pools: firstPools }];
  readonly nodes = new Map(["node1", "node3"].map((name) => [name, new SimulatedNode(name, this)]));
  nowMs = 0;

  /** As the datastore has them. */
  get pools(): Pools {
    const last = this.log.findLast((write) => "pools" in write);
    return last && "pools" in last ? last.pools : firstPools;
  }

  get orders(): Orders | undefined {
    const last = this.log.findLast((write) => "orders" in write);
    return last && "orders" in last ? last.orders : undefined;
  }

  check(): void {
    for (const sender of this.nodes.values()) {
      for (const [prefix, sent] of sender.current) {
        const receiver = this.nodes.get(ownerOf.get(prefix) ?? "")!;
        const received = sent === "none" || receiver.kernelReceives.includes(sent);
        assert.ok(
          received,
          `${sender.name} sends ${sent}, ${receiver.name} receives ${receiver.kernelReceives}`,
        );
      }
    }
  }
}

class SimulatedNode {
  seenPool = 1;
  seenOrders = 1;
  seenModes = 1;
  current = new Map<string, Encapsulation>();
  kernelReceives: Encapsulation[] = [];
  gate: GateState = new Map();
  /** What it said last is known to be the last word. */
  certain = false;
  /** The next write happens, but its answer does not arrive. */
  deaf = false;
  #pass: Generator<void> | undefined;

  readonly name: string;
  readonly #simulation: Simulation;

  constructor(name: string, simulation: Simulation) {
    this.name = name;
    this.#simulation = simulation;
  }

  step(): void {
    this.#pass ??= this.#run();
    if (this.#pass.next().done) this.#pass = undefined;
  }

  /** The agent dies: its kernel and what it published stay, everything else is forgotten. */
  kill(): void {
    this.#pass = undefined;
    this.certain = false;
    this.gate = initialGate([...(this.#mode(this.name)?.accepts ?? []), ...this.kernelReceives]);
  }

  watchPool(): void {
    this.seenPool = this.#simulation.log.length;
  }

  watchOrders(): void {
    this.seenOrders = this.#simulation.log.length;
  }

  watchModes(upTo = this.#simulation.log.length): void {
    this.seenModes = Math.max(this.seenModes, upTo);
  }

  /** Writes, and reads back what it wrote. */
  *#say(mode: Published): Generator<void> {
    this.certain = false;
    const revision = this.#simulation.log.push({ node: this.name, mode });
    const { deaf } = this;
    this.deaf = false;
    yield;
    if (deaf) return;
    this.watchModes(revision);
    this.certain = true;
    yield;
  }

  #mode(node: string): Published | undefined {
    const seen = this.#simulation.log.slice(0, this.seenModes);
    const last = seen.findLast((write) => "node" in write && write.node === node);
    return last && "mode" in last ? last.mode : undefined;
  }

  #pools(): Pools {
    const last = this.#simulation.log.slice(0, this.seenPool).findLast((write) => "pools" in write);
    return last && "pools" in last ? last.pools : firstPools;
  }

  #orders(): Orders | undefined {
    const seen = this.#simulation.log.slice(0, this.seenOrders);
    const last = seen.findLast((write) => "orders" in write);
    return last && "orders" in last ? last.orders : undefined;
  }

  /** As this node plans with them. */
  #ordered(): PoolFacts[] {
    const stored = this.#pools();
    const orders = this.#orders();
    if (!orders) return poolsOf(stored);
    const { to, moved, blocks: owners } = orders;
    const parts = blocks.flatMap(({ prefix, node }) =>
      isPrefix4(prefix) && owners.includes(node) ? [{ cidr: prefix, ...to }] : [],
    );
    const four = moved.includes(this.name) ? to : stored.four;
    return [poolFact({ ...four, parts }), pool6Fact(stored.six)];
  }

  #snapshot(receive: readonly Encapsulation[], announced: readonly Encapsulation[]) {
    const nodes = template.nodes
      .filter(({ name }) => this.#simulation.nodes.has(name))
      .map((node) => ({ ...node, accepts: this.#mode(node.name)?.accepts ?? [] }));
    return {
      ...template,
      node: this.name,
      nodes,
      pools: this.#ordered(),
      blocks,
      learned: template.learned.concat(ownLearned),
      receive,
      announced,
      current: this.current,
    };
  }

  *#run(): Generator<void> {
    const needed = new Set<Encapsulation>(this.current.values());
    const widened = this.#orders();
    const to = widened ? [poolFact(widened.to)] : [];
    for (const pool of [...poolsOf(this.#pools()), ...this.#ordered(), ...to]) {
      const tunnel = poolTunnel(pool);
      if (tunnel) needed.add(tunnel);
    }
    for (const node of this.#simulation.nodes.keys()) {
      for (const sent of this.#mode(node)?.sends ?? []) needed.add(sent);
    }
    const said = () => (this.certain ? this.#mode(this.name) : undefined);
    const publishedAccepts = new Set(said()?.accepts ?? everything);
    const gate = stepGate(this.gate, {
      needed,
      publishedAccepts,
      silentSenders: [...this.#simulation.nodes.keys()].some((node) => !this.#mode(node)),
      nowMs: this.#simulation.nowMs,
      drainMs: 3,
    });
    this.gate = gate.state;
    yield;
    const draft = plan(this.#snapshot(gate.receive, everything));
    const wishes = draft.destinations.flatMap(({ chosen }) => chosen ?? []);
    const published = this.#mode(this.name) ?? { accepts: [], sends: [] };
    const sends = [...new Set([...published.sends, ...this.current.values(), ...wishes])];
    if (sends.some((sent) => !said()?.sends.includes(sent))) {
      yield* this.#say({ accepts: published.accepts, sends });
    }
    const wanted = plan(this.#snapshot(gate.receive, said()?.sends ?? []));
    yield;
    // The dataplane's order: receive paths, then routes, then what is to go.
    this.kernelReceives = [...new Set([...this.kernelReceives, ...gate.receive])];
    yield;
    for (const { prefix, chosen } of wanted.destinations) {
      const text = formatPrefix(prefix);
      if (chosen) this.current.set(text, chosen);
      else this.current.delete(text);
      yield;
    }
    this.kernelReceives = [...gate.receive];
    yield;
    const next = {
      accepts: ["none" as const, ...gate.offer],
      sends: [...new Set(this.current.values())],
    };
    if (JSON.stringify(next) !== JSON.stringify(said())) yield* this.#say(next);
  }
}

const tunnelsOf = (pools: readonly PoolFacts[]) => pools.map((pool) => poolTunnel(pool) ?? "none");

/** Nothing happens any more, and everybody sees all. */
function arrive(simulation: Simulation): void {
  for (let round = 0; round < 60; round++) {
    simulation.nowMs += 1;
    for (const target of simulation.nodes.values()) {
      target.watchPool();
      target.watchOrders();
      target.watchModes();
      for (let i = 0; i < 12; i++) {
        target.step();
        simulation.check();
      }
    }
  }
}

test("no interleaving of changes, orders, lags, crashes, lost answers and erased words makes a node send what is not received", () => {
  const node = fc.constantFrom("node1", "node3");
  const event = fc.oneof(
    { weight: 30, arbitrary: fc.record({ kind: fc.constant("step" as const), node }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("pool" as const), node }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("modes" as const), node }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("orders" as const), node }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("order" as const),
        orders: fc.option(
          fc.record({
            to: fc.constantFrom(...modes),
            moved: fc.subarray(["node1", "node3"]),
            blocks: fc.subarray(["node1", "node3"]),
          }),
          { nil: undefined },
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("patch" as const),
        pools: fc.oneof(
          fc.record({ four: fc.constantFrom(...modes) }),
          fc.record({ six: fc.constantFrom(...modes6) }),
          fc.record({ four: fc.constantFrom(...modes), six: fc.constantFrom(...modes6) }),
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("time" as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill" as const), node }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("lose answer" as const), node }) },
    // Somebody deletes the NodeMode of a node that runs.
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("erase" as const), node }) },
    // One node runs far ahead while the other sleeps between two of its steps.
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("burst" as const),
        node,
        steps: fc.integer({ min: 10, max: 60 }),
      }),
    },
  );
  const moved = new Set<string>();
  fc.assert(
    fc.property(fc.array(event, { minLength: 50, maxLength: 400, size: "max" }), (events) => {
      const simulation = new Simulation();
      for (const event of events) {
        if (event.kind === "patch")
          simulation.log.push({ pools: { ...simulation.pools, ...event.pools } });
        else if (event.kind === "order") simulation.log.push({ orders: event.orders });
        else if (event.kind === "time") simulation.nowMs += 2;
        else {
          const target = simulation.nodes.get(event.node)!;
          if (event.kind === "step") target.step();
          else if (event.kind === "pool") target.watchPool();
          else if (event.kind === "modes") target.watchModes();
          else if (event.kind === "orders") target.watchOrders();
          else if (event.kind === "lose answer") target.deaf = true;
          else if (event.kind === "erase")
            simulation.log.push({ node: event.node, mode: undefined });
          else if (event.kind === "burst") {
            for (let i = 0; i < event.steps; i++) {
              simulation.nowMs += 1;
              target.watchPool();
              target.watchOrders();
              target.watchModes();
              target.step();
              simulation.check();
            }
          } else target.kill();
        }
        simulation.check();
      }
      // Left alone, everybody arrives: where the orders say, and without orders where the pools say.
      arrive(simulation);
      const { orders } = simulation;
      for (const target of orders ? simulation.nodes.values() : []) {
        const { four, six } = simulation.pools;
        const other = target.name === "node1" ? "node3" : "node1";
        const isOrdered = orders!.moved.includes(target.name) || orders!.blocks.includes(other);
        const sent = poolsOf({ four: isOrdered ? orders!.to : four, six });
        assert.deepEqual([...target.current.values()].sort(), tunnelsOf(sent).sort(), target.name);
        const open = tunnelsOf([...poolsOf({ four, six }), poolFact(orders!.to)]);
        for (const tunnel of open) {
          const received = tunnel === "none" || target.kernelReceives.includes(tunnel);
          assert.ok(received, `${target.name} has closed ${tunnel}, which may be needed any time`);
        }
      }
      if (orders) {
        simulation.log.push({ orders: undefined });
        arrive(simulation);
      }
      const wanted = tunnelsOf(poolsOf(simulation.pools));
      for (const target of simulation.nodes.values()) {
        assert.deepEqual([...target.current.values()].sort(), [...wanted].sort(), target.name);
        const receives = wanted.filter((tunnel) => tunnel !== "none");
        assert.deepEqual(target.kernelReceives, receives, target.name);
      }
      moved.add(wanted.join());
    }),
    { numRuns: 300 },
  );
  assert.equal(moved.size, 6, "the runs must have ended in every pair of encapsulations");
});
