import assert from "node:assert/strict";
import { test } from "node:test";
import { prepareForWrite } from "./prepare.ts";
import { build, refusalOf, tagged } from "./rules.test-support.ts";

const endpoint = {
  orchestrator: "k8s",
  node: "node-1",
  pod: "pod-1",
  endpoint: "eth0",
  interfaceName: "cali0123456789a",
  ipNetworks: ["10.0.0.1/32"],
};

test("WorkloadEndpoint: the name follows from the spec, labels are forced", () => {
  const metadata = {
    name: "",
    namespace: "red",
    labels: { a: "b", "projectcalico.org/namespace": "x" },
  };
  const resource = build("WorkloadEndpoint", endpoint, metadata);
  const prepared = prepareForWrite({ resource, operation: "create" });
  assert.equal(prepared.metadata.name, "node--1-k8s-pod--1-eth0");
  assert.deepEqual(prepared.metadata.labels, {
    a: "b",
    "projectcalico.org/namespace": "red",
    "projectcalico.org/orchestrator": "k8s",
  });
  const rows: [spec: object, message: string, metadata: object][] = [
    [
      endpoint,
      "error with field Name = 'wrong' (the WorkloadEndpoint name does not match the primary identifiers assigned in the Spec: expected name node--1-k8s-pod--1-eth0)",
      { name: "wrong" },
    ],
    [{ ...endpoint, pod: "" }, "error with field pod (field should be assigned)", { name: "" }],
  ];
  for (const [spec, message, more] of rows) {
    assert.equal(refusalOf(build("WorkloadEndpoint", spec, more)), message);
  }
});

test("WorkloadEndpoint: fields", () => {
  const rows: [more: object, message: string][] = [
    [{ ipNetworks: ["10.0.0.1", "fd00::1/128"], mac: "ee:ee:ee:ee:ee:ee" }, ""],
    [{ interfaceName: "" }, tagged("InterfaceName", "", "interface")],
    [
      { interfaceName: "cali0123456789abc" },
      tagged("InterfaceName", "cali0123456789abc", "interface"),
    ],
    [{ ipNetworks: ["x"] }, "error with field IPNetworks = 'x' (invalid CIDR)"],
    [
      { ipNetworks: ["10.0.0.0/26"] },
      "error with field IPNetworks = '[10.0.0.0/26]' (IP network contains multiple addresses)",
    ],
    [{ ipNATs: [{ internalIP: "10.0.0.1", externalIP: "192.0.2.1" }] }, ""],
    [
      { ipNATs: [{ internalIP: "10.0.0.2", externalIP: "192.0.2.1" }] },
      "error with field IPNATs = '[{10.0.0.2 192.0.2.1}]' (NAT is not in the endpoint networks)",
    ],
    [
      { ipNATs: [{ internalIP: "10.0.0.1", externalIP: "fd00::1" }] },
      "error with field IPNATs = '10.0.0.1' (mismatched IP versions)",
    ],
    [
      { ipv4Gateway: "fd00::1" },
      "error with field IPv4Gateway = 'fd00::1' (invalid IPv4 gateway address specified)",
    ],
    [{ ports: [{ name: "http", protocol: "TCP", port: 80 }] }, ""],
    [
      { ports: [{ protocol: "TCP", port: 80 }] },
      "error with field WorkloadEndpointPort.Name = '' (WorkloadEndpointPort name must not be empty if no HostPort is specified)",
    ],
    [
      { ports: [{ name: "p", protocol: "ICMP", port: 80 }] },
      "error with field WorkloadEndpointPort.Protocol = 'ICMP' (WorkloadEndpointPort protocol does not support ports.)",
    ],
    [{ containerID: "-x" }, tagged("ContainerID", "-x", "containerID")],
  ];
  for (const [more, message] of rows) {
    const resource = build(
      "WorkloadEndpoint",
      { ...endpoint, ...more },
      { name: "", namespace: "n" },
    );
    assert.equal(refusalOf(resource), message, JSON.stringify(more));
  }
});
