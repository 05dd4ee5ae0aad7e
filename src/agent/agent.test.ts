/** The loop of the agent: when it passes, what it keeps saying, and what it leaves alone. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { FakeDataplane, FakeKernel } from "../dataplane/index.ts";
import { type Datastore, openSqliteStore, withRules } from "../datastore/index.ts";
import { FakeClock, formatPrefix, prefix4, SwitchyardError } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { Agent } from "./agent.ts";
import { service, slice } from "./services/testing.ts";
import {
  affinityResource,
  FakeSpeaker,
  hostReading,
  nodeResource,
  poolResource,
} from "./testing.ts";

/** Those that a failed test has left: their sockets would keep the process from ending. */
const open = new Set<Bench>();
afterEach(async () => {
  for (const bench of open) await bench.stop();
});

class Bench {
  readonly clock = new FakeClock();
  readonly directory = mkdtempSync(join(tmpdir(), "switchyard-agent-"));
  readonly store: Datastore = withRules(openSqliteStore(":memory:"), { clock: this.clock });
  readonly kernel = new FakeKernel({
    nodeAddress: "172.139.20.75",
    host: {
      uplink: { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500 },
      routes: [{ destination: prefix4("172.139.20.0/24"), device: "eth0" }],
      interfaces: [],
    },
  });
  readonly dataplane = new FakeDataplane(this.kernel);
  readonly speakers: FakeSpeaker[] = [];
  /** What every call of the datastore is answered with, while set. */
  away: string | undefined;
  readonly agent: Agent;

  constructor() {
    open.add(this);
    this.agent = new Agent({
      node: "node1",
      store: this.#reachable(),
      stateDirectory: this.directory,
      mtuFile: join(this.directory, "mtu"),
      clock: this.clock,
      log: silentLog,
      version: "test",
      openDataplane: async () => this.dataplane,
      readHost: async () => hostReading(),
      makeSpeaker: (config) => {
        const speaker = new FakeSpeaker(config);
        this.speakers.push(speaker);
        return speaker;
      },
    });
  }

  async fill(): Promise<void> {
    await this.store.create(poolResource());
    await this.store.create(nodeResource("node1", "172.139.20.75/24"));
    await this.store.create(affinityResource("node1", "10.244.1.0/26"));
  }

  /** Many small steps: what is awaited in between is given its turn. */
  async run(forMs: number): Promise<void> {
    for (let i = 0; i < 40; i++) await this.clock.advance(forMs / 40);
  }

  async stop(): Promise<void> {
    this.away = undefined;
    const stopping = this.agent.stop();
    await this.run(1_000);
    await stopping;
    await this.store.close();
    open.delete(this);
    rmSync(this.directory, { recursive: true });
  }

  #reachable(): Datastore {
    return new Proxy(this.store, {
      get: (target, property) => {
        const value = Reflect.get(target, property) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (this.away) throw new SwitchyardError("DATASTORE_UNAVAILABLE", this.away);
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  }
}

async function started(): Promise<Bench> {
  const bench = new Bench();
  await bench.fill();
  await bench.agent.start();
  await bench.run(400);
  assert.equal(bench.agent.status().notReady, "");
  return bench;
}

test("a node at rest makes a pass every half minute, and writes nothing", async () => {
  const bench = await started();
  const { passes } = bench.agent.status();
  const { resourceVersion } = await bench.store.list("NodeMode");
  // A pass takes turns of the loop: in steps too large it would end later than it does.
  for (let i = 0; i < 10; i++) await bench.run(6_100);
  assert.equal(bench.agent.status().passes - passes, 2);
  assert.equal((await bench.store.list("NodeMode")).resourceVersion, resourceVersion);
  await bench.stop();
});

test("what comes while a pass runs makes one more pass, not one each", async () => {
  const bench = await started();
  const { dataplane, kernel } = bench;
  const apply = dataplane.apply.bind(dataplane);
  let release = () => {};
  dataplane.apply = async (plan) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return apply(plan);
  };
  const { passes } = bench.agent.status();
  kernel.disturbed();
  await bench.run(40);
  for (let i = 0; i < 20; i++) {
    kernel.disturbed();
    await bench.run(20);
  }
  dataplane.apply = apply;
  release();
  await bench.run(200);
  assert.equal(bench.agent.status().passes - passes, 2);
  await bench.stop();
});

test("a route that somebody removes is back within a second", async () => {
  const bench = await started();
  bench.kernel.loseRoute("10.244.1.0/26");
  await bench.run(40);
  assert.ok(bench.kernel.routes.has("10.244.1.0/26"));
  await bench.stop();
});

test("what the kernel refuses is tried again, ever more slowly, and said until it succeeds", async () => {
  const bench = await started();
  let attempts = 0;
  bench.kernel.refuse = (object) => {
    if (!object.includes("10.244.1.0/26")) return undefined;
    attempts++;
    return "No buffer space available";
  };
  bench.kernel.loseRoute("10.244.1.0/26");
  await bench.run(2_000);
  const early = attempts;
  assert.ok(early >= 3, `${early} attempts in 2 s`);
  await bench.run(20_000);
  assert.ok(attempts - early < 8, `${attempts - early} attempts in 20 s`);
  assert.match(bench.agent.status().failures.join(), /10\.244\.1\.0\/26.*No buffer space/);
  bench.kernel.refuse = () => undefined;
  await bench.run(11_000);
  assert.deepEqual(bench.agent.status().failures, []);
  await bench.stop();
});

test("an agent started while the datastore is away leaves the kernel alone and says so", async () => {
  const bench = new Bench();
  await bench.fill();
  bench.away = "cannot reach the API server";
  await bench.agent.start();
  await bench.run(600_000);
  const { ready, notReady, datastore } = bench.agent.status();
  assert.deepEqual([ready, datastore.connected], [false, false]);
  assert.equal(
    notReady,
    "the datastore has not been read yet (cannot reach the API server); the kernel forwards as it was found",
  );
  assert.deepEqual(bench.dataplane.applied, []);
  bench.away = undefined;
  await bench.run(6_000);
  assert.equal(bench.agent.status().ready, true);
  assert.ok(
    bench.dataplane.applied.every(({ keepUnplannedRoutes }) => keepUnplannedRoutes),
    "BGP has had no time yet",
  );
  await bench.stop();
});

test("a node that was deleted keeps its kernel and says that it is not in the datastore", async () => {
  const bench = await started();
  const routes = bench.kernel.routeLines();
  const deleting = bench.store.delete("Node", "node1");
  await bench.run(1_000);
  await deleting;
  const { ready, notReady, failures } = bench.agent.status();
  assert.equal(ready, false);
  assert.equal(notReady, "Node node1 is not in the datastore; the kernel stays as it is");
  assert.match(failures.join(), /pass: Node node1 is not in the datastore/);
  assert.deepEqual(bench.kernel.routeLines(), routes);
  assert.deepEqual((await bench.store.list("NodeMode")).items, [], "nobody speaks for it");
  await bench.store.create(nodeResource("node1", "172.139.20.75/24"));
  await bench.run(12_000);
  assert.equal(bench.agent.status().notReady, "");
  await bench.stop();
});

test("a Node whose address is not on this host is named until it is put right", async () => {
  const bench = await started();
  const stored = await bench.store.get("Node", "node1");
  const rename = (ipv4Address: string, resourceVersion: string) =>
    bench.store.update<"Node">({
      ...stored,
      metadata: { ...stored.metadata, resourceVersion },
      spec: { bgp: { ipv4Address } },
    });
  const { metadata } = await rename("172.139.20.99/24", stored.metadata.resourceVersion ?? "");
  await bench.run(1_000);
  assert.match(
    bench.agent.status().notReady,
    /no device holds the node's address 172\.139\.20\.99/,
  );
  await rename("172.139.20.75/24", metadata.resourceVersion ?? "");
  await bench.run(1_000);
  assert.equal(bench.agent.status().notReady, "");
  await bench.stop();
});

test("BGP that cannot listen does not keep routes from the kernel", async () => {
  const bench = new Bench();
  await bench.fill();
  FakeSpeaker.refuseStart = "listen EADDRINUSE";
  await bench.agent.start();
  await bench.run(1_000);
  const [why = "", ...others] = bench.agent.status().failures;
  assert.match(why, /^bgp: listen EADDRINUSE \(since .*, tried \d+ times\)$/);
  assert.deepEqual(others, []);
  assert.ok(bench.kernel.routes.has("10.244.1.0/26"));
  FakeSpeaker.refuseStart = undefined;
  await bench.run(20_000);
  assert.deepEqual(bench.agent.status().failures, []);
  await bench.stop();
});

test("an endpoint that comes or goes changes what BGP tells, and costs no pass", async () => {
  const bench = await started();
  const metadata = { name: "default" };
  const kind = { apiVersion: "projectcalico.org/v3", kind: "BGPConfiguration" } as const;
  const spec = { serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] };
  await bench.store.create<"BGPConfiguration">({ ...kind, metadata, spec });
  await bench.store.create(service({ externalTrafficPolicy: "Local" }));
  await bench.run(400);
  const told = () =>
    bench.speakers[0]?.configured.at(-1)?.originate.map(({ prefix }) => formatPrefix(prefix));
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12"]);
  const { passes } = bench.agent.status();
  const created = await bench.store.create(slice({ nodes: ["node1"] }));
  await bench.run(100);
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12", "10.96.0.9/32"]);
  await bench.store.delete("EndpointSlice", "web-1", created.metadata as { namespace: string });
  await bench.run(100);
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12"]);
  assert.equal(bench.agent.status().passes, passes);
  await bench.stop();
});

test("stopping closes BGP without a word and changes nothing in the kernel", async () => {
  const bench = await started();
  const routes = bench.kernel.routeLines();
  await bench.stop();
  assert.deepEqual(bench.speakers.at(-1)?.stopped, { notify: false });
  assert.deepEqual(bench.kernel.routeLines(), routes);
});
