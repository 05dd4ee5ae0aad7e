import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serviceCidrs, serviceSettings } from "../../facts/index.ts";
import { clusterView, nodeResource } from "../../facts/testing/resources.ts";
import { formatPrefix } from "../../lib/index.ts";
import type { BGPConfiguration, SpecOf } from "../../model/index.ts";
import { toldAddresses, toldCidrs } from "./advertise.ts";
import { serviceFacts, sliceFacts } from "./facts.ts";
import { service, slice } from "./testing.ts";

const cidrs = (...list: string[]) => list.map((cidr) => ({ cidr }));
const labels = { "node.kubernetes.io/exclude-from-external-load-balancers": "true" };

function settingsOf(spec: SpecOf<"BGPConfiguration">, node = nodeResource("node1", "10.0.0.1/24")) {
  const configuration: BGPConfiguration = {
    ...{ apiVersion: "projectcalico.org/v3", kind: "BGPConfiguration" },
    ...{ metadata: { name: "default" }, spec },
  };
  const view = clusterView({ nodes: [node], bgpConfigurations: [configuration] });
  return serviceSettings(view, "node1");
}

const everything = {
  serviceClusterIPs: cidrs("10.96.0.0/12", "fd00:96::/112"),
  serviceExternalIPs: cidrs("192.0.2.0/24", "203.0.113.7/32"),
  serviceLoadBalancerIPs: cidrs("198.51.100.0/24", "203.0.113.9/32"),
};

describe("CIDRs", () => {
  const rows: readonly [string, SpecOf<"BGPConfiguration">, readonly string[], object?][] = [
    [
      "cluster addresses, one by itself too",
      { serviceClusterIPs: cidrs("10.96.0.1/32") },
      ["10.96.0.1/32"],
    ],
    [
      "single external addresses are told with their services",
      everything,
      ["10.96.0.0/12", "fd00:96::/112", "192.0.2.0/24", "198.51.100.0/24"],
    ],
    [
      "without aggregation no CIDR of load balancers",
      { ...everything, serviceLoadBalancerAggregation: "Disabled" },
      ["10.96.0.0/12", "fd00:96::/112", "192.0.2.0/24"],
    ],
    [
      "each once",
      { serviceClusterIPs: cidrs("10.96.0.0/12"), serviceExternalIPs: cidrs("10.96.0.0/12") },
      ["10.96.0.0/12"],
    ],
    ["none of a node with the label", everything, [], labels],
    [
      "another value of the label is none",
      { serviceClusterIPs: cidrs("10.96.0.0/12") },
      ["10.96.0.0/12"],
      { "node.kubernetes.io/exclude-from-external-load-balancers": "" },
    ],
  ];
  for (const [name, spec, expected, nodeLabels = {}] of rows) {
    test(name, () => {
      const node = nodeResource("node1", "10.0.0.1/24", nodeLabels as Record<string, string>);
      const settings = settingsOf(spec, node);
      assert.ok(settings);
      assert.deepEqual(toldCidrs(settings).map(formatPrefix), expected);
    });
  }

  test("a configuration without any is nothing to follow", () => {
    assert.equal(settingsOf({ serviceClusterIPs: [], asNumber: 64513 }), undefined);
    assert.deepEqual(serviceCidrs(undefined), []);
  });

  test("what is kept out of the kernel is all that services may have, label or not", () => {
    const spec = { ...everything, serviceExternalIPs: cidrs("192.0.2.0/24", "192.0.2.8/29") };
    const node = nodeResource("node1", "10.0.0.1/24", labels);
    const settings = settingsOf({ ...spec, serviceLoadBalancerAggregation: "Disabled" }, node);
    assert.deepEqual(serviceCidrs(settings).map(formatPrefix), [
      ...["10.96.0.0/12", "fd00:96::/112", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.9/32"],
    ]);
  });

  test("a node goes by its name in Kubernetes", () => {
    const node = nodeResource("node1", "10.0.0.1/24");
    const orchRefs = [{ orchestrator: "k8s", nodeName: "ip-10-0-0-1" }];
    const named = { ...node, spec: { ...node.spec, orchRefs } };
    assert.equal(settingsOf(everything, named)?.nodeName, "ip-10-0-0-1");
    assert.equal(settingsOf(everything, node)?.nodeName, "node1");
  });
});

describe("addresses of one service", () => {
  const here = slice({ nodes: ["node1"] });
  const elsewhere = slice({ nodes: ["node2"] });
  const local = { externalTrafficPolicy: "Local" } as const;
  const balancer = (...ips: string[]) => ({ type: "LoadBalancer", ingress: ips });
  const disabled = { ...everything, serviceLoadBalancerAggregation: "Disabled" } as const;
  const own = "10.96.0.9/32";
  type Row = readonly [
    name: string,
    spec: SpecOf<"BGPConfiguration">,
    service: Parameters<typeof service>[0],
    slices: readonly ReturnType<typeof slice>[],
    told: readonly string[],
  ];
  const rows: readonly Row[] = [
    ["Cluster: the CIDR is enough", everything, {}, [here], []],
    ["Local with an endpoint here", everything, local, [here], [own]],
    ["Local with endpoints elsewhere", everything, local, [elsewhere], []],
    ["Local without endpoints", everything, local, [], []],
    ["Local, not ready", everything, local, [slice({ nodes: ["node1"], ready: false })], []],
    ["Local, ready in one slice of two", everything, local, [elsewhere, here], [own]],
    [
      "Local, of a family that the service does not have",
      everything,
      local,
      [slice({ nodes: ["node1"], addressType: "IPv6" })],
      [],
    ],
    [
      "Local with both families: an endpoint of either",
      everything,
      { ...local, clusterIPs: ["10.96.0.9", "fd00:96::9"] },
      [slice({ nodes: ["node1"], addressType: "IPv6" })],
      [own, "fd00:96::9/128"],
    ],
    [
      "no cluster CIDR, no cluster address",
      { serviceExternalIPs: cidrs("192.0.2.0/24") },
      { ...local, externalIPs: ["192.0.2.5"] },
      [here],
      ["192.0.2.5/32"],
    ],
    [
      "external addresses only as far as they are allowed",
      everything,
      { ...local, externalIPs: ["192.0.2.5", "8.8.8.8"] },
      [here],
      [own, "192.0.2.5/32"],
    ],
    [
      "a load balancer's addresses likewise",
      everything,
      { ...local, ...balancer("198.51.100.3", "192.0.2.5") },
      [here],
      [own, "198.51.100.3/32"],
    ],
    [
      "they count for that type only",
      everything,
      { ...local, ingress: ["198.51.100.3"] },
      [here],
      [own],
    ],
    [
      "Cluster, an external address that is configured by itself: told by every node",
      everything,
      { externalIPs: ["203.0.113.7"] },
      [],
      [own, "203.0.113.7/32"],
    ],
    [
      "Cluster, a load balancer's address that is configured by itself",
      everything,
      balancer("203.0.113.9"),
      [elsewhere],
      [own, "203.0.113.9/32"],
    ],
    [
      "one for external addresses is none for load balancers",
      everything,
      balancer("203.0.113.7"),
      [here],
      [],
    ],
    [
      "Local goes before that",
      everything,
      { ...local, ...balancer("203.0.113.9") },
      [elsewhere],
      [],
    ],
    [
      "without aggregation: as long as anybody is ready",
      disabled,
      balancer("198.51.100.3"),
      [elsewhere],
      [own, "198.51.100.3/32"],
    ],
    ["without aggregation, and without endpoints", disabled, balancer("198.51.100.3"), [], []],
    ["headless", everything, { ...local, clusterIP: "None", clusterIPs: ["None"] }, [here], []],
    [
      "of a name outside",
      everything,
      { ...local, type: "ExternalName", clusterIPs: [] },
      [here],
      [],
    ],
    ["the older field alone", everything, { ...local, clusterIPs: undefined }, [here], [own]],
  ];
  for (const [name, spec, resource, slices, expected] of rows) {
    test(name, () => {
      const settings = settingsOf(spec);
      assert.ok(settings);
      const facts = serviceFacts(service(resource));
      const ready = slices.flatMap((one) => sliceFacts(one, "node1") ?? []);
      const told = facts ? toldAddresses(facts, ready, settings) : [];
      assert.deepEqual(told.map(formatPrefix), expected);
    });
  }

  test("none from a node with the label, whatever is ready there", () => {
    const node = nodeResource("node1", "10.0.0.1/24", labels);
    for (const spec of [everything, { ...everything, ...disabled }]) {
      for (const resource of [local, balancer("203.0.113.9")]) {
        const facts = serviceFacts(service(resource))!;
        const ready = sliceFacts(here, "node1")!;
        assert.notDeepEqual(toldAddresses(facts, [ready], settingsOf(spec)!), []);
        assert.deepEqual(toldAddresses(facts, [ready], settingsOf(spec, node)!), []);
      }
    }
  });

  test("slices of names, or of no service, are none", () => {
    assert.equal(sliceFacts(slice({ nodes: ["node1"], addressType: "FQDN" }), "node1"), undefined);
    const orphan = slice({ nodes: ["node1"] });
    const metadata = { ...orphan.metadata, labels: {} };
    assert.equal(sliceFacts({ ...orphan, metadata }, "node1"), undefined);
  });
});
