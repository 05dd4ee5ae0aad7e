import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, formatPrefix, ipAddress } from "../lib/index.ts";
import type { BlockAffinity, WorkloadEndpoint } from "../model/index.ts";
import { clusterFacts } from "./cluster-facts.ts";
import { affinityResource, clusterView, nodeResource, poolResource } from "./testing/resources.ts";

/** In upper case, as nobody stores it. */
const macOf = (node: string) => `66:MAC:${node}`;
const facts = (overrides: Parameters<typeof clusterView>[0] = {}) =>
  clusterFacts(clusterView(overrides), "node1", macOf);

const affinity = (spec: Partial<BlockAffinity["spec"]>): BlockAffinity => {
  const base = affinityResource("node2", "10.244.2.0/26");
  return { ...base, spec: { ...base.spec, ...spec } };
};

test("one bad object is named and left out, the rest is used", () => {
  const { nodes, pools, problems } = facts({
    nodes: [...clusterView().nodes, nodeResource("broken", "10.0.0.300/24")],
    pools: [poolResource(), poolResource({ cidr: "10.1.2.3/16" }, "unmasked")],
  });
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ["node1", "node2", "node3"],
  );
  assert.deepEqual(
    pools.map(({ name }) => name),
    ["default-ipv4-ippool"],
  );
  assert.deepEqual(problems, [
    "Node broken: bad spec.bgp.ipv4Address 10.0.0.300/24",
    "IPPool unmasked: bad cidr 10.1.2.3/16",
  ]);
});

test("a stored address without a mask is a /32", () => {
  const { nodes } = facts({ nodes: [nodeResource("node1", "172.139.20.75")] });
  assert.equal(nodes[0]?.ipv4?.prefixLength, 32);
});

const states: [string, Partial<BlockAffinity["spec"]>, boolean][] = [
  ["confirmed", { state: "confirmed" }, true],
  ["confirmed of old, without a word", { state: "" }, true],
  ["pending", { state: "pending" }, false],
  ["pendingDeletion", { state: "pendingDeletion" }, false],
  ["deleted", { deleted: true }, false],
  ["deleted, as etcd writes it", { deleted: "true" }, false],
  ["of no node", { type: "virtual" }, false],
];
for (const [name, spec, counts] of states) {
  test(`an affinity that is ${name} ${counts ? "counts" : "does not count"}`, () => {
    assert.equal(facts({ affinities: [affinity(spec)] }).blocks.length, Number(counts));
  });
}

test("only this node's pods count, each address by itself", () => {
  const pod = (node: string, ipNetworks: string[]): WorkloadEndpoint => ({
    apiVersion: "projectcalico.org/v3",
    kind: "WorkloadEndpoint",
    metadata: { name: `${node}-k8s-pod-eth0`, namespace: "default" },
    spec: { node, ipNetworks, interfaceName: "cali0123456789a" },
  });
  const { workloads } = facts({
    workloads: [pod("node1", ["fd00::5/128", "10.244.1.5/32"]), pod("node2", ["10.244.2.5/32"])],
  });
  assert.deepEqual(
    workloads.map(({ address, device }) => `${formatAddress(address)} ${device}`),
    ["fd00::5 cali0123456789a", "10.244.1.5 cali0123456789a"],
  );
});

test("a node has facts per family, with the MAC of each", () => {
  const node = nodeResource("node1", "172.139.20.75/24");
  const spec = {
    ...node.spec,
    bgp: { ...node.spec.bgp, ipv6Address: "2001:db8:20::75/64" },
    ipv6VXLANTunnelAddr: "fd00:244::100",
  };
  const [both, six] = facts({
    nodes: [
      { ...node, spec },
      { ...node, metadata: { name: "six" }, spec: { bgp: { ipv6Address: "2001:db8:20::6" } } },
    ],
  }).nodes;
  assert.equal(both?.ipv6?.vxlanMac, "66:mac:node1-v6");
  assert.equal(both?.ipv6?.prefixLength, 64);
  assert.equal(formatAddress(both?.ipv6?.vxlanTunnelAddress ?? ipAddress("::")), "fd00:244::100");
  assert.equal(both?.ipv4?.vxlanTunnelAddress, undefined);
  assert.deepEqual([six?.ipv4, six?.ipv6?.prefixLength], [undefined, 128]);
});

test("an address in the field of the other family is named and left out", () => {
  const wrong = nodeResource("wrong", "2001:db8::1/64");
  assert.deepEqual(facts({ nodes: [wrong] }).problems, [
    "Node wrong: bad spec.bgp.ipv4Address 2001:db8::1/64",
  ]);
});

test("a node's own FelixConfiguration overlays the default one", () => {
  const felix = (name: string, spec: object) =>
    ({
      apiVersion: "projectcalico.org/v3",
      kind: "FelixConfiguration",
      metadata: { name },
      spec,
    }) as const;
  const { settings } = facts({
    felixConfigurations: [
      felix("default", {
        vxlanPort: 4790,
        vxlanVNI: 5,
        externalNodesList: ["192.0.2.0/24", "nonsense"],
      }),
      felix("node.node1", { vxlanPort: 4791 }),
      felix("node.node2", { vxlanVNI: 6 }),
    ],
  });
  assert.deepEqual([settings.vxlanPort, settings.vxlanVni], [4791, 5]);
  assert.deepEqual(settings.externalNodes.map(formatPrefix), ["192.0.2.0/24"]);
});

test("nothing is forwarded for service addresses unless a service proxy has taken it", () => {
  const unserved = (
    serviceClusterIPs: readonly string[],
    serviceLoopPrevention?: "Reject" | "Disabled",
  ) => {
    const spec = { serviceClusterIPs: serviceClusterIPs.map((cidr) => ({ cidr })) };
    const named = { apiVersion: "projectcalico.org/v3", metadata: { name: "default" } } as const;
    const { settings } = facts({
      bgpConfigurations: [{ ...named, kind: "BGPConfiguration", spec }],
      felixConfigurations: [
        {
          ...{ ...named, kind: "FelixConfiguration" },
          spec: serviceLoopPrevention ? { serviceLoopPrevention } : {},
        },
      ],
    });
    const { cidrs, action } = settings.unserved ?? {};
    return cidrs && [...cidrs.map(formatPrefix), action];
  };
  assert.deepEqual(unserved(["10.96.0.0/12"]), ["10.96.0.0/12", "drop"]);
  assert.deepEqual(unserved(["10.96.0.0/12"], "Reject"), ["10.96.0.0/12", "reject"]);
  assert.equal(unserved(["10.96.0.0/12"], "Disabled"), undefined);
  assert.equal(unserved([]), undefined);
});

test("two Nodes with one address are named", () => {
  const nodes = [nodeResource("node1", "172.139.20.75/24"), nodeResource("twin", "172.139.20.75")];
  assert.deepEqual(facts({ nodes }).problems, [
    "Nodes node1 and twin both have the address 172.139.20.75",
  ]);
});

test("interfaces to ignore are those of all nodes", () => {
  const configuration = (name: string, ignored: string[]) => ({
    ...{ apiVersion: "projectcalico.org/v3", kind: "BGPConfiguration" as const },
    ...{ metadata: { name }, spec: { ignoredInterfaces: ignored } },
  });
  const bgpConfigurations = [configuration("default", ["eth1"]), configuration("node.node1", [])];
  assert.deepEqual(facts({ bgpConfigurations }).settings.ignoredInterfaces, ["eth1"]);
});
