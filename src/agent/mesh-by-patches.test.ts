/**
 * Between the mesh and reflectors by plain changes of resources, whatever their order: whole nodes' BGP on a
 * network in memory, looked at every 50 ms. No node may be without the way to another's block.
 */

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Speaker } from "../bgp/index.ts";
import { MemoryBfd } from "../bgp/testing/memory-bfd.ts";
import { MemoryNetwork } from "../bgp/testing/memory-network.ts";
import { openSqliteStore } from "../datastore/index.ts";
import type { ClusterView } from "../facts/index.ts";
import { FakeClock, formatAddress, ipv4, prefix } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { BGPConfiguration, BGPPeer, Node } from "../model/index.ts";
import { BgpInput } from "./bgp-input.ts";
import { BgpRunner } from "./bgp-runner.ts";
import { clusterView, nodeResource } from "./testing.ts";

const addresses = ["172.139.20.75", "172.139.20.76", "172.139.30.75"] as const;
const blocks = ["10.244.1.0/26", "10.244.2.0/26", "10.244.3.0/26"].map((text) => prefix(text));
const PASS_MS = 50;

const node = (
  at: number,
  change: { cluster?: string; labels?: Record<string, string> } = {},
): Node => {
  const made = nodeResource(`node${at + 1}`, `${addresses[at]}/24`, change.labels);
  const bgp = {
    ...made.spec.bgp,
    ...(change.cluster && { routeReflectorClusterID: change.cluster }),
  };
  return { ...made, spec: { ...made.spec, bgp } };
};
const plain = [node(0), node(1), node(2)];
const labels = { reflector: "true" };
const labelled = [node(0), node(1), node(2, { labels })];
const numbered = [node(0), node(1), node(2, { cluster: "244.0.0.1" })];
const reflecting = [node(0), node(1), node(2, { cluster: "244.0.0.1", labels })];

const calico = { apiVersion: "projectcalico.org/v3" } as const;
const peering = (spec: BGPPeer["spec"]): BGPPeer => ({
  ...{ ...calico, kind: "BGPPeer", metadata: { name: "reflectors" } },
  spec: { peerSelector: "has(reflector)", ...spec },
});
const peers = [peering({})];
const off: BGPConfiguration = {
  ...{ ...calico, kind: "BGPConfiguration", metadata: { name: "default" } },
  spec: { nodeToNodeMeshEnabled: false },
};
const meshOff = { bgpConfigurations: [off] };

const running = new Set<Fabric>();
afterEach(async () => {
  for (const fabric of running) await fabric.stop();
});

/** Three nodes with one block each. */
class Fabric {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly store = openSqliteStore(":memory:");
  readonly views: ClusterView[] = addresses.map(() => clusterView({ nodes: plain }));
  readonly #bfd = new MemoryBfd(this.clock);
  readonly runners = addresses.map((address) => this.#runner(address));
  readonly inputs = addresses.map((_, at) => this.#input(at));
  /** `node1 lacks 10.244.2.0/26 at 500 ms` */
  readonly gaps: string[] = [];

  static async start(): Promise<Fabric> {
    const fabric = new Fabric();
    running.add(fabric);
    await fabric.#pass();
    await fabric.clock.advance(20_000);
    await fabric.run(5_000);
    assert.deepEqual(fabric.gaps, []);
    assert.deepEqual(fabric.sessions(), [2, 2, 2]);
    return fabric;
  }

  /** Told to all nodes at once, or to one of them. */
  change(change: Partial<ClusterView>, only?: number): void {
    for (const [at, view] of this.views.entries()) {
      if (only === undefined || at === only) this.views[at] = { ...view, ...change };
    }
  }

  async run(forMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < forMs; passedMs += PASS_MS) {
      await this.#pass();
      for (let step = 0; step < 5; step++) {
        await this.clock.advance(PASS_MS / 5);
        this.#look();
      }
    }
  }

  /** Of each node, as far as they are Established. */
  sessions(): number[] {
    return this.runners.map((runner) => runner.peers().filter(({ up }) => up).length);
  }

  types(at: number): string[] {
    return this.runners[at]!.peers().map(({ type }) => type);
  }

  async stop(): Promise<void> {
    running.delete(this);
    for (const input of this.inputs) await input.stop();
    for (const runner of this.runners) await runner.stop(false);
    await this.store.close();
  }

  async #pass(): Promise<void> {
    for (const input of this.inputs) await input.configure();
  }

  #look(): void {
    for (const [at, runner] of this.runners.entries()) {
      for (const [other, block] of blocks.entries()) {
        if (other === at) continue;
        const [way] = runner.learnedAt(block);
        const at_ = `at ${this.clock.monotonicMs()} ms`;
        if (way === undefined)
          this.gaps.push(`node${at + 1} lacks node${other + 1}'s block ${at_}`);
        else if (formatAddress(way.nextHop) !== addresses[other])
          this.gaps.push(`wrong way ${at_}`);
      }
    }
  }

  #runner(address: string): BgpRunner {
    const { clock } = this;
    return new BgpRunner({
      ...{ clock, log: silentLog, changed: () => {} },
      makeSpeaker: (config) =>
        new Speaker({
          ...{ clock, log: silentLog, config },
          transport: this.network.transport(ipv4(address)),
          bfdTransport: this.#bfd,
        }),
    });
  }

  #input(at: number): BgpInput {
    return new BgpInput({
      ...{ node: `node${at + 1}`, store: this.store, clock: this.clock, log: silentLog },
      cluster: { view: () => this.views[at]! },
      bgp: this.runners[at]!,
      changed: () => {},
    });
  }
}

/** What is changed when, in ms; `only`: at one node, the others see it at once with the next step. */
interface Step {
  readonly afterMs: number;
  readonly change: Partial<ClusterView>;
  readonly only?: number;
}

const there: readonly (readonly [string, readonly Step[]])[] = [
  [
    "peers, then the reflector, then the mesh off",
    [
      { afterMs: 0, change: { bgpPeers: peers } },
      { afterMs: 5_000, change: { nodes: reflecting } },
      { afterMs: 30_000, change: meshOff },
    ],
  ],
  ["all at once", [{ afterMs: 0, change: { bgpPeers: peers, nodes: reflecting, ...meshOff } }]],
  [
    "the mesh off first of all",
    [
      { afterMs: 0, change: meshOff },
      { afterMs: 10_000, change: { nodes: reflecting } },
      { afterMs: 10_000, change: { bgpPeers: peers } },
    ],
  ],
  [
    "a cluster id that nobody peers with yet",
    [
      { afterMs: 0, change: { nodes: numbered } },
      { afterMs: 20_000, change: { nodes: reflecting } },
      { afterMs: 20_000, change: { bgpPeers: peers } },
      { afterMs: 0, change: meshOff },
    ],
  ],
  [
    "one node that hears of it late",
    [
      { afterMs: 0, change: { bgpPeers: peers, nodes: reflecting, ...meshOff }, only: 1 },
      { afterMs: 0, change: { bgpPeers: peers, nodes: reflecting, ...meshOff }, only: 2 },
      { afterMs: 20_000, change: { bgpPeers: peers, nodes: reflecting, ...meshOff }, only: 0 },
    ],
  ],
  [
    "peers of selected nodes",
    [
      { afterMs: 0, change: { bgpPeers: [peering({ nodeSelector: "!has(reflector)" })] } },
      { afterMs: 0, change: { nodes: reflecting, ...meshOff } },
    ],
  ],
  [
    "peers by address",
    [
      {
        afterMs: 0,
        change: {
          bgpPeers: [
            ...[0, 1].map(
              (at): BGPPeer => ({
                ...{ ...calico, kind: "BGPPeer", metadata: { name: `client${at}` } },
                spec: { node: "node3", peerIP: addresses[at]!, asNumber: "64512" as never },
              }),
            ),
            {
              ...{ ...calico, kind: "BGPPeer", metadata: { name: "reflector" } },
              spec: {
                nodeSelector: "!has(reflector)",
                peerIP: addresses[2],
                asNumber: "64512" as never,
              },
            },
          ],
          nodes: reflecting,
          ...meshOff,
        },
      },
    ],
  ],
];

const back: readonly (readonly [string, readonly Step[]])[] = [
  [
    "the mesh on, then the rest",
    [
      { afterMs: 0, change: { bgpConfigurations: [] } },
      { afterMs: 10_000, change: { nodes: labelled } },
      { afterMs: 10_000, change: { bgpPeers: [] } },
    ],
  ],
  ["all at once", [{ afterMs: 0, change: { bgpConfigurations: [], nodes: plain, bgpPeers: [] } }]],
  [
    "the peers first of all",
    [
      { afterMs: 0, change: { bgpPeers: [] } },
      { afterMs: 20_000, change: { nodes: plain } },
      { afterMs: 20_000, change: { bgpConfigurations: [] } },
    ],
  ],
  [
    "one node that hears of it late",
    [
      { afterMs: 0, change: { bgpConfigurations: [], nodes: plain, bgpPeers: [] }, only: 0 },
      { afterMs: 20_000, change: { bgpConfigurations: [], nodes: plain, bgpPeers: [] } },
    ],
  ],
];

async function play(fabric: Fabric, steps: readonly Step[]): Promise<void> {
  for (const { afterMs, change, only } of steps) {
    await fabric.run(afterMs);
    fabric.change(change, only);
  }
  await fabric.run(40_000);
  assert.deepEqual(fabric.gaps.slice(0, 3), []);
}

const reflected = { bgpPeers: peers, nodes: reflecting, ...meshOff };

describe("from the mesh to a reflector", () => {
  for (const [name, steps] of there) {
    it(name, async () => {
      const fabric = await Fabric.start();
      await play(fabric, steps);
      // Nothing is kept that is not needed any more.
      assert.deepEqual(fabric.sessions(), [1, 1, 2]);
      assert.ok(!fabric.types(0).includes("node-to-node mesh"));
    });
  }
});

describe("from a reflector to the mesh", () => {
  for (const [name, steps] of back) {
    it(name, async () => {
      const fabric = await Fabric.start();
      await play(fabric, [{ afterMs: 0, change: reflected }]);
      await play(fabric, steps);
      assert.deepEqual(fabric.sessions(), [2, 2, 2]);
      assert.deepEqual(fabric.types(0), ["node-to-node mesh", "node-to-node mesh"]);
    });
  }
});

it("sessions that nothing replaces are kept for two minutes, said, and then given up", async () => {
  const fabric = await Fabric.start();
  fabric.change(meshOff);
  await fabric.run(1_000);
  assert.deepEqual(fabric.sessions(), [2, 2, 2]);
  assert.match(
    fabric.inputs[0]!.problems.join(),
    /^BGP sessions with 172\.139\.20\.76, 172\.139\.30\.75 are not configured any more; they are kept/,
  );
  await fabric.run(118_000);
  assert.deepEqual(fabric.gaps, []);
  await fabric.run(2_000);
  assert.deepEqual(fabric.sessions(), [0, 0, 0]);
  assert.deepEqual(fabric.inputs[0]!.problems, []);
});

it("a node that is deleted is left at once", async () => {
  const fabric = await Fabric.start();
  fabric.change({ nodes: plain.slice(0, 2) });
  await fabric.run(200);
  assert.equal(fabric.sessions()[0], 1);
});

it("nodes that listen elsewhere lose no route, told at once or one after the other", async () => {
  const fabric = await Fabric.start();
  const listening = (listenPort: number): Partial<ClusterView> => ({
    bgpConfigurations: [{ ...off, spec: { listenPort } }],
  });
  const oneByOne = [2, 0, 1].map((only) => ({ afterMs: 10_000, change: listening(1791), only }));
  await play(fabric, [{ afterMs: 0, change: listening(1790) }, ...oneByOne]);
  assert.deepEqual(fabric.sessions(), [2, 2, 2]);
  const ports = new Set(
    fabric.runners.flatMap((runner) =>
      (runner.source()?.speaker.details() ?? []).map(({ port }) => port),
    ),
  );
  assert.deepEqual([...ports], [1791]);
});
