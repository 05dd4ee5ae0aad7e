/** When the speaker is told what, as far as services have a say. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OriginatedChange } from "../bgp/index.ts";
import { openSqliteStore, withRules } from "../datastore/index.ts";
import type { ClusterView } from "../facts/index.ts";
import { FakeClock, formatPrefix, prefix, SwitchyardError } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { BGPConfiguration, BGPFilter, BGPPeer } from "../model/index.ts";
import { BgpInput } from "./bgp-input.ts";
import type { BgpPlan } from "./peering/index.ts";
import { service, slice } from "./services/testing.ts";
import { clusterView } from "./testing.ts";

const configuration: BGPConfiguration = {
  apiVersion: "projectcalico.org/v3",
  kind: "BGPConfiguration",
  metadata: { name: "default" },
  spec: { serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] },
};

const filter: BGPFilter = {
  apiVersion: "projectcalico.org/v3",
  kind: "BGPFilter",
  metadata: { name: "f" },
  spec: { importV4: [{ interface: "eth1", action: "Reject" }] },
};
const filtered: BGPPeer = {
  apiVersion: "projectcalico.org/v3",
  kind: "BGPPeer",
  metadata: { name: "tor" },
  spec: { peerIP: "192.0.2.1", filters: ["f"] },
};

function bench(options: { readonly kinds?: "refused" } = {}) {
  const clock = new FakeClock();
  const store = withRules(openSqliteStore(":memory:"), { clock });
  const list = store.list.bind(store);
  if (options.kinds === "refused") {
    store.list = async (kind, more) => {
      if (kind !== "EndpointSlice") return list(kind, more);
      throw new SwitchyardError("RESOURCE_NOT_FOUND", "no such kind");
    };
  }
  let view = clusterView({ bgpConfigurations: [configuration] });
  const plans: (BgpPlan | undefined)[] = [];
  /** Told apart from a whole plan. */
  const told: OriginatedChange[] = [];
  const work: (() => Promise<void>)[] = [];
  const input = new BgpInput({
    ...{ node: "node1", store, clock, log: silentLog },
    cluster: { view: () => view },
    bgp: {
      configure: async (plan) => {
        plans.push(plan);
      },
      changeOriginated: (change) => {
        told.push(change);
      },
      carrying: () => new Set(),
      untold: () => [],
    },
    changed: (next) => {
      work.push(next);
    },
  });
  return {
    ...{ clock, store, plans, input },
    changes: () => work.length,
    /** What was asked for, as an agent does it. */
    work: async () => {
      for (const next of work.splice(0)) await next();
    },
    apart: () =>
      told
        .splice(0)
        .flatMap(({ add, remove }) => [
          ...add.map(({ prefix }) => `+${formatPrefix(prefix)}`),
          ...remove.map((prefix) => `-${formatPrefix(prefix)}`),
        ]),
    setView: (bgpConfigurations: readonly BGPConfiguration[], more: Partial<ClusterView> = {}) => {
      view = clusterView({ bgpConfigurations, ...more });
    },
    told: () => plans.at(-1)?.config.originate.map(({ prefix }) => formatPrefix(prefix)),
    stop: async () => {
      await input.stop();
      await store.close();
    },
  };
}

test("the first words wait for the services: peers would drop what was told of them before", async () => {
  const { store, input, clock, plans, work, told, stop } = bench();
  await store.create(service({ externalTrafficPolicy: "Local" }));
  await store.create(slice({ nodes: ["node1"] }));
  await input.configure();
  assert.equal(plans.length, 0);
  assert.match(input.problems.join(), /^service addresses are not known yet/);
  await clock.advance(20);
  assert.deepEqual(input.problems, []);
  await work();
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12", "10.96.0.9/32"]);
  assert.deepEqual(plans[0]?.unprogrammed.map(formatPrefix), ["10.96.0.0/12"]);
  await stop();
});

test("pods do not wait for services that nobody can tell", async () => {
  const { input, clock, plans, work, told, stop } = bench({ kinds: "refused" });
  await input.configure();
  for (let i = 0; i < 29; i++) await clock.advance(1_000);
  await work();
  await input.configure();
  assert.equal(plans.length, 0);
  await clock.advance(1_500);
  // By itself: no pass may be due.
  await work();
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12"]);
  assert.deepEqual(input.problems, ["service addresses are not known yet: no such kind"]);
  await stop();
});

test("one that speaks already goes on while it gets to know the services, and when it forgets them", async () => {
  const { store, input, clock, plans, changes, work, apart, setView, told, stop } = bench();
  await store.create(service({ externalTrafficPolicy: "Local" }));
  await store.create(slice({ nodes: ["node1"] }));
  setView([]);
  await input.configure();
  assert.equal(plans.length, 1);
  await clock.advance(20);
  assert.equal(changes(), 0);
  setView([configuration]);
  await input.configure();
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12"]);
  await clock.advance(20);
  await work();
  const all = ["10.244.1.0/26", "10.96.0.0/12", "10.96.0.9/32"];
  assert.deepEqual(apart(), ["+10.96.0.9/32"], "without a plan of everything");
  assert.equal(plans.length, 2);
  await input.configure();
  assert.deepEqual(told(), all);
  setView([]);
  await input.configure();
  assert.deepEqual(told(), ["10.244.1.0/26"]);
  await clock.advance(20);
  const before = changes();
  await store.create(slice({ name: "web-2", nodes: ["node1"] }));
  await clock.advance(20);
  assert.equal(changes(), before);
  await stop();
});

test("the host's routes matter while a filter asks by which interface a route leaves", async () => {
  const { input, plans, clock, changes, setView, stop } = bench();
  const routes = [{ destination: prefix("0.0.0.0/0"), device: "eth1" }];
  setView([]);
  await input.configure();
  await clock.advance(20);
  const before = changes();
  input.noteHostRoutes(routes);
  assert.equal(changes(), before);
  setView([], { bgpPeers: [filtered], bgpFilters: [filter] });
  await input.configure();
  const rules = () => plans.at(-1)?.config.peers[0]?.importPolicy;
  assert.deepEqual(rules()?.[0]?.nextHops, [prefix("0.0.0.0/0")]);
  input.noteHostRoutes([...routes]);
  assert.equal(changes(), before, "the same again");
  input.noteHostRoutes([{ ...routes[0]!, device: "eth0" }]);
  assert.equal(changes(), before + 1);
  await input.configure();
  assert.deepEqual(rules()?.[0]?.nextHops, []);
  await stop();
});

test("a peer behind a gateway is behind the gateway's interface", async () => {
  const { input, plans, setView, stop } = bench();
  const spec = { ...filtered.spec, reachableBy: "172.139.30.1" };
  setView([], { bgpPeers: [{ ...filtered, spec }], bgpFilters: [filter] });
  input.noteHostRoutes([
    { destination: prefix("0.0.0.0/0"), device: "eth0" },
    { destination: prefix("172.139.30.0/24"), device: "eth1" },
  ]);
  await input.configure();
  const { nextHops = [] } = plans.at(-1)?.config.peers[0]?.importPolicy?.[0] ?? {};
  assert.deepEqual(nextHops.map(formatPrefix).sort(), ["172.139.30.0/24", "192.0.2.1/32"]);
  await stop();
});

test("events that change nothing here are nobody's business", async () => {
  const { store, input, clock, changes, stop } = bench();
  await input.configure();
  await clock.advance(20);
  const before = changes();
  await store.create(service({}));
  await store.create(slice({ nodes: ["node1", "node2"] }));
  await clock.advance(20);
  assert.equal(changes(), before);
  await stop();
});

test("an endpoint that comes or goes is told by itself, and a pass at rest makes no list", async () => {
  const { store, input, clock, plans, work, apart, setView, told, stop } = bench();
  await store.create(service({ externalTrafficPolicy: "Local" }));
  await input.configure();
  await clock.advance(20);
  await work();
  await input.configure();
  const [first, second] = plans.map((plan) => plan?.config.originate);
  assert.equal(first, second);
  const stored = await store.create(slice({ nodes: ["node1"] }));
  await clock.advance(20);
  await work();
  assert.deepEqual(apart(), ["+10.96.0.9/32"]);
  await input.configure();
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12", "10.96.0.9/32"]);
  // A pass that comes before the change is told of takes it along.
  await store.delete("EndpointSlice", stored.metadata.name, { namespace: "shop" });
  await clock.advance(20);
  await input.configure();
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.0/12"]);
  await work();
  assert.deepEqual(apart(), []);
  // What is the node's own, or one of the CIDRs, does not go with a service.
  const single = { ...configuration, spec: { serviceClusterIPs: [{ cidr: "10.96.0.9/32" }] } };
  setView([single]);
  await store.create(slice({ nodes: ["node1"] }));
  await clock.advance(20);
  await input.configure();
  await work();
  await store.delete("EndpointSlice", stored.metadata.name, { namespace: "shop" });
  await clock.advance(20);
  await work();
  assert.deepEqual(apart(), []);
  assert.deepEqual(told(), ["10.244.1.0/26", "10.96.0.9/32"]);
  await stop();
});
