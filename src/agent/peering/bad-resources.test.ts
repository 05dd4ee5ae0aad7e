/** Whatever is stored, what the speaker is given is a configuration that it takes, and the good sessions are in it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type PolicyRule, Speaker } from "../../bgp/index.ts";
import { type ClusterView, clusterFacts } from "../../facts/index.ts";
import { FakeClock } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import { vxlanMacOf } from "../../mode/index.ts";
import type { BGPConfiguration, BGPFilter, BGPPeer, Node } from "../../model/index.ts";
import { hashedRouterId } from "../router-id.ts";
import { affinityResource, clusterView } from "../testing.ts";
import { bgpPlan } from "./plan.ts";

const apiVersion = "projectcalico.org/v3";

function plan(overrides: Partial<ClusterView>) {
  const view = clusterView(overrides);
  const facts = clusterFacts(view, "node1", vxlanMacOf);
  const secret = ({ key }: { readonly key: string }) => ({ value: key });
  const input = { ...facts, view, node: "node1", serviceCidrs: [], hashedRouterId, secret };
  const made = bgpPlan(input)!;
  assert.doesNotThrow(
    () => new Speaker({ clock: new FakeClock(), log: silentLog, config: made.config }),
    "the speaker takes it",
  );
  return { ...made, facts };
}

const peer = (spec: BGPPeer["spec"]): BGPPeer => ({
  ...{ apiVersion, kind: "BGPPeer" },
  metadata: { name: "bad" },
  spec,
});
const configuration = (name: string, spec: BGPConfiguration["spec"]): BGPConfiguration => ({
  ...{ apiVersion, kind: "BGPConfiguration" },
  metadata: { name },
  spec,
});
const filter = (spec: BGPFilter["spec"]): BGPFilter => ({
  ...{ apiVersion, kind: "BGPFilter" },
  metadata: { name: "odd" },
  spec,
});
const mesh = ["Mesh_172_139_20_76", "Mesh_172_139_30_75"];
const names = ({ config }: ReturnType<typeof plan>) => config.peers.map(({ name }) => name);

test("a link-local peer, whose link nothing can name, is left out and told", () => {
  const nodes = clusterView().nodes.map((node): Node => {
    const bgp = { ...node.spec.bgp, ipv6Address: `2001:db8::${node.metadata.name.slice(-1)}/64` };
    return { ...node, spec: { ...node.spec, bgp } };
  });
  const made = plan({ nodes, bgpPeers: [peer({ peerIP: "fe80::1", asNumber: 65000 })] });
  assert.ok(mesh.every((name) => names(made).includes(name)));
  assert.deepEqual(made.problems, [
    "Global_fe80__1 is left out: BGP configuration: peers.Global_fe80__1.device: a link-local address says nothing without one",
  ]);
});

test("AS 0 of a node is none that is set", () => {
  const nodes = clusterView().nodes.map((node) => {
    const bgp = { ...node.spec.bgp, asNumber: 0 };
    return node.metadata.name === "node3" ? node : { ...node, spec: { ...node.spec, bgp } };
  });
  const made = plan({ nodes });
  assert.equal(made.config.localAs, 64512);
  assert.deepEqual(
    made.config.peers.map(({ remoteAs }) => remoteAs),
    [64512, 64512],
  );
});

test("a filter that asks for AS 0 is passed over, and told", () => {
  const bgpFilters = [filter({ importV4: [{ asPathPrefix: [0], action: "Reject" }] })];
  const bgpPeers = [peer({ peerIP: "192.0.2.1", asNumber: 65000, filters: ["odd"] })];
  const made = plan({ bgpFilters, bgpPeers });
  assert.ok(names(made).includes("Global_192_0_2_1"));
  assert.equal(made.problems.length, 1);
  assert.match(made.problems[0]!, /^BGPPeer bad: filter odd is passed over: importV4\[0\]: /);
});

test("a block with host bits is told, and the others are announced", () => {
  const affinities = [
    affinityResource("node1", "10.244.1.0/26"),
    affinityResource("node1", "10.244.1.65/26"),
  ];
  const { config, facts } = plan({ affinities });
  assert.equal(config.originate.length, 1);
  assert.match(facts.problems.join(), /bad cidr 10\.244\.1\.65\/26/);
});

test("an advertised prefix with host bits stands for what it lies in", () => {
  const spec = { prefixAdvertisements: [{ cidr: "10.244.9.9/16", communities: ["64512:1"] }] };
  const { config } = plan({ bgpConfigurations: [configuration("default", spec)] });
  const tagging = ({ set }: PolicyRule) => set?.communities !== undefined;
  const { prefix } = config.peers[0]!.exportPolicy!.find(tagging)!.prefixes![0]!;
  assert.equal(prefix.address, 0x0af4_0000);
});

test("nothing that is stored takes the sessions of the mesh down", () => {
  const number = fc.oneof(fc.integer({ min: -2, max: 2 ** 33 }), fc.constantFrom(0, 1, 65000));
  const texts = ["", "0s", "-5s", "1h", "nonsense", "::", "0.0.0.0", "fe80::1", "192.0.2.1:0"];
  const ends = ["192.0.2.1:99999", "[2001:db8::9]:7", "172.139.20.76", "172.139.30.75:179", "1.2"];
  const text = fc.constantFrom(...texts, ...ends, "k".repeat(90), "all()", "rack ==");
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const peerSpec = fc.record({
    ...{ peerIP: maybe(text), peerSelector: maybe(text), nodeSelector: maybe(text) },
    ...{ asNumber: maybe(number), localASNumber: maybe(number), ttlSecurity: maybe(number) },
    ...{ keepaliveTime: maybe(text), maxRestartTime: maybe(text), reachableBy: maybe(text) },
    numAllowedLocalASNumbers: maybe(number),
    password: maybe(fc.record({ secretKeyRef: fc.record({ name: text, key: text }) })),
    filters: fc.constant<string[]>(["odd"]),
  });
  const rule = fc.record({
    ...{ cidr: maybe(text), priority: maybe(number), asPathPrefix: maybe(fc.array(number)) },
    ...{ prefixLength: fc.record({ min: maybe(number), max: maybe(number) }) },
    operations: fc.array(fc.record({ prependASPath: fc.record({ prefix: fc.array(number) }) })),
    action: fc.constantFrom("Accept", "Reject"),
  });
  const configurationSpec = fc.record({
    listenPort: maybe(fc.constantFrom(179, 1179)),
    nodeMeshMaxRestartTime: maybe(text),
    prefixAdvertisements: fc.array(fc.record({ cidr: text, communities: fc.array(text) })),
  });
  fc.assert(
    fc.property(fc.array(peerSpec), rule, configurationSpec, (specs, odd, spec) => {
      const made = plan({
        bgpPeers: specs.map((one) => peer(one as BGPPeer["spec"])),
        bgpFilters: [filter({ importV4: [odd], exportV4: [odd] } as BGPFilter["spec"])],
        bgpConfigurations: [configuration("default", spec as BGPConfiguration["spec"])],
      });
      const addresses = new Set(made.config.peers.map(({ address }) => address));
      // A BGPPeer may well stand in for a session of the mesh.
      for (const node of ["172.139.20.76", "172.139.30.75"]) {
        const ip = node.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
        assert.ok(addresses.has(ip as never), node);
      }
    }),
    { numRuns: 200 },
  );
});
