/** Two nodes, their agents' passes and fake kernels over one store, for tests of the reconciler. */

import assert from "node:assert/strict";
import { FakeDataplane, FakeKernel } from "../dataplane/index.ts";
import { type Datastore, openSqliteStore, withRules } from "../datastore/index.ts";
import {
  FakeClock,
  type Ipv4,
  ipv4,
  type Prefix,
  type Prefix4,
  parsePrefix,
  prefix4,
  SwitchyardError,
  sleep,
} from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { Encapsulation, IPPoolSpec } from "../model/index.ts";
import type { PrefixFacts } from "../plan/index.ts";
import { Announcer } from "./announcer.ts";
import { Cluster } from "./cluster.ts";
import { type PassResult, Reconciler } from "./reconciler.ts";
import { affinityResource, nodeResource, poolResource } from "./testing.ts";

export const blocks = { node1: "10.244.1.0/26", node2: "10.244.2.0/26" } as const;
export const addresses = { node1: "172.139.20.75", node2: "172.139.20.76" } as const;
export type Name = keyof typeof blocks;

/** Two nodes over one store; passes run when the test says so. */
export class Bench {
  /** What a pass over single prefixes is told of each. */
  factsAt: (prefix: Prefix) => PrefixFacts = () => ({ blocks: [], learned: [] });
  readonly clock = new FakeClock();
  readonly store: Datastore;
  /** The datastore refuses every call. */
  outage = false;
  /** Writes of NodeModes happen, but the writer does not learn of it. */
  loseAnswers = false;
  /** What IPAM has given the nodes. */
  readonly probes: Partial<Record<Name, Ipv4>> = {};
  /** Why a node does not answer at its probe address. */
  readonly unanswered: Partial<Record<Name, string>> = {};
  /** This node's watch of NodeModes says nothing until it is lifted. */
  stalled: Name | undefined;
  readonly nodes: Record<
    Name,
    {
      cluster: Cluster;
      kernel: FakeKernel;
      dataplane: FakeDataplane;
      reconciler: Reconciler;
      /** MTUs told to the CNI plugin. */
      written: number[];
    }
  >;

  constructor() {
    this.store = withRules(openSqliteStore(":memory:"), { clock: this.clock });
    this.nodes = { node1: this.#node("node1"), node2: this.#node("node2") };
  }

  async start(): Promise<void> {
    await this.store.create(poolResource());
    for (const name of ["node1", "node2"] as const) {
      const node = nodeResource(name, `${addresses[name]}/24`);
      await this.store.create<"Node">({
        ...node,
        spec: {
          bgp: { ...node.spec.bgp, ipv4IPIPTunnelAddr: blocks[name].replace("0/26", "2") },
          ipv4VXLANTunnelAddr: blocks[name].replace("0/26", "1"),
        },
      });
      await this.store.create(affinityResource(name, blocks[name]));
    }
    for (const { cluster } of Object.values(this.nodes)) cluster.start(() => {});
    await this.settle();
  }

  /** Lets watches deliver. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await this.clock.advance(1);
  }

  async pass(name: Name): Promise<PassResult> {
    const running = this.nodes[name].reconciler.pass();
    let done = false;
    const ended = running.finally(() => {
      done = true;
    });
    for (let i = 0; !done && i < 6000; i++) await this.clock.advance(1);
    const result = await ended;
    await this.settle();
    return result;
  }

  async patch(spec: Partial<IPPoolSpec>): Promise<void> {
    const pool = await this.store.get("IPPool", "default-ipv4-ippool");
    await this.store.update<"IPPool">({ ...pool, spec: { ...pool.spec, ...spec } });
    await this.settle();
  }

  async mode(name: Name) {
    return (await this.store.get("NodeMode", name)).status!;
  }

  sends(name: Name): Encapsulation | undefined {
    const { kernel } = this.nodes[name];
    const remote = name === "node1" ? blocks.node2 : blocks.node1;
    const device = kernel.routes.get(remote)?.device;
    if (device === undefined) return undefined;
    return device === "tunl0" ? "ipip" : device === "vxlan.calico" ? "vxlan" : "none";
  }

  async stop(): Promise<void> {
    this.outage = false;
    const stopping = Promise.all(Object.values(this.nodes).map(({ cluster }) => cluster.stop()));
    await this.settle();
    await stopping;
    await this.store.close();
  }

  #node(name: Name) {
    const { clock } = this;
    const store = this.#viewOf(name);
    const kernel = new FakeKernel({
      nodeAddress: addresses[name],
      host: {
        uplink: { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500 },
        interfaces: [{ name: "eth0", mtu: 1500, running: true }],
        routes: [{ destination: prefix4("172.139.20.0/24"), device: "eth0" }],
      },
    });
    const dataplane = new FakeDataplane(kernel);
    const cluster = new Cluster({ store, clock, log: silentLog });
    const remote = name === "node1" ? "node2" : "node1";
    const learned = [
      { prefix: parsePrefix(blocks[remote]) as Prefix4, nextHop: ipv4(addresses[remote]) },
    ];
    const written: number[] = [];
    const reconciler = new Reconciler({
      node: name,
      cluster,
      dataplane,
      announcer: new Announcer({ store, cluster, node: name, clock }),
      clock,
      log: silentLog,
      version: "test",
      vxlanMac: (node) => `66:00:00:00:00:0${node.slice(-1)}`,
      learned: () => learned,
      factsAt: (prefix) => this.factsAt(prefix),
      bgpConverged: () => true,
      probe: () => ({ address: this.probes[name] }),
      answerAt: async () => this.unanswered[name],
      writeMtu: (mtu) => {
        written.push(mtu);
        return undefined;
      },
      drainMs: 1000,
    });
    return { cluster, kernel, dataplane, reconciler, written };
  }

  #viewOf(name: Name): Datastore {
    const { clock } = this;
    const away = () => new SwitchyardError("DATASTORE_UNAVAILABLE", "the datastore is away");
    const stalled = async () => {
      while (this.stalled === name) await sleep(clock, 1);
    };
    return new Proxy(this.store, {
      get: (target, property) => {
        const value = Reflect.get(target, property) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (this.outage) throw away();
          const answer = (value as (...args: unknown[]) => unknown).apply(target, args);
          if (property === "watch" && args[0] === "NodeMode")
            return delayed(answer as ReturnType<Datastore["watch"]>, stalled);
          if (property !== "update" || !this.loseAnswers) return answer;
          return (answer as Promise<unknown>).then(() => Promise.reject(away()));
        };
      },
    });
  }
}

async function* delayed<T>(events: AsyncIterable<T>, ready: () => Promise<void>) {
  for await (const event of events) {
    await ready();
    yield event;
  }
}

export async function started(): Promise<Bench> {
  const bench = new Bench();
  await bench.start();
  for (let round = 0; round < 3; round++) {
    for (const name of ["node1", "node2"] as const) await bench.pass(name);
  }
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["ipip", "ipip"]);
  return bench;
}
