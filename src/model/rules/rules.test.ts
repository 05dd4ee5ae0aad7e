import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SwitchyardError } from "../../lib/index.ts";
import type { Kind } from "../kinds/index.ts";
import { prepareForWrite } from "./prepare.ts";
import { build, refusalOf, tagged } from "./rules.test-support.ts";

type Row = readonly [spec: object, message: string, metadata?: object];

function check(kind: Kind, rows: readonly Row[]): void {
  for (const [spec, message, metadata] of rows) {
    assert.equal(refusalOf(build(kind, spec, metadata)), message, JSON.stringify(spec));
  }
}

const subdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const nameReason = `name must consist of lower case alphanumeric characters, '-' or '.' (regex: ${subdomain})`;

test("names, labels and annotations of any kind", () => {
  const node = (metadata: object) => refusalOf(build("Node", {}, metadata));
  assert.equal(node({ name: "a.b-1" }), "");
  assert.equal(node({ name: "" }), `error with field Metadata.Name = '' (${nameReason})`);
  assert.equal(node({ name: "A" }), `error with field Metadata.Name = 'A' (${nameReason})`);
  const long = "a".repeat(260);
  assert.equal(
    node({ name: long }),
    `error with field Metadata.Name = '${long}' (name is too long by 7 bytes)`,
  );
  assert.equal(node({ labels: { "example.com/a_b.c": "x", e: "" } }), "");
  assert.match(
    node({ labels: { "a b": "x" } }),
    /^error with field Metadata\.Labels \(label\) = 'a b' \(name part must consist/,
  );
  assert.match(
    node({ labels: { "A/b": "x" } }),
    /Metadata\.Labels \(label\) = 'A\/b' \(prefix part a lowercase/,
  );
  assert.match(
    node({ labels: { a: "-" } }),
    /^error with field Metadata\.Labels \(value\) = '-' \(a valid label must/,
  );
  assert.equal(node({ annotations: { "Example.com/Key": "any\nthing" } }), "");
  assert.match(
    node({ annotations: { "": "x" } }),
    /Metadata\.Annotations \(key\) = '' \(name part must be non-empty\)/,
  );
  assert.equal(
    node({ annotations: { k: "x".repeat(262_150) } }),
    "error with field Metadata.Annotations (key) (total size of annotations is too large by 7 bytes)",
  );
});

test("BGPConfiguration: what belongs on the default object only", () => {
  const spec = { nodeToNodeMeshEnabled: true, asNumber: 64512, nodeMeshMaxRestartTime: "2m" };
  const name = { name: "default" };
  check("BGPConfiguration", [
    [spec, "", name],
    [{ listenPort: 1790 }, ""],
    [
      spec,
      "error with the following fields:\n" +
        "-  BGPConfiguration.Spec.NodeToNodeMeshEnabled (Cannot set nodeToNodeMeshEnabled on a non default BGP Configuration.)\n" +
        "-  BGPConfiguration.Spec.ASNumber (Cannot set ASNumber on a non default BGP Configuration.)\n" +
        "-  BGPConfiguration.Spec.NodeMeshMaxRestartTime (Cannot set nodeMeshMaxRestartTime on a non default BGP Configuration.)\n",
    ],
  ]);
});

test("BGPConfiguration: defaults are written", () => {
  const resource = build("BGPConfiguration", { asNumber: "1.0" }, { name: "default" });
  assert.deepEqual(prepareForWrite({ resource, operation: "create" }).spec, {
    asNumber: 65536,
    logSeverityScreen: "Info",
    serviceLoadBalancerAggregation: "Enabled",
  });
});

test("BGPConfiguration: fields and their relations", () => {
  const name = { name: "default" };
  const advertise = [{ cidr: "10.0.0.0/8", communities: ["65000:1"] }];
  const secret = { secretKeyRef: { name: "s", key: "k" } };
  check("BGPConfiguration", [
    [{ logSeverityScreen: "debug" }, ""],
    [
      { logSeverityScreen: "Loud" },
      "error with field spec.logSeverityScreen (spec.logSeverityScreen in body should match '^(?i)(Trace|Debug|Info|Warning|Error|Fatal)?$')",
    ],
    [
      { listenPort: 70000 },
      "error with field spec.listenPort (spec.listenPort in body should be less than or equal to 65535)",
    ],
    [
      { nodeToNodeMeshEnabled: false, nodeMeshPassword: secret },
      "error with field spec (nodeMeshPassword cannot be set when nodeToNodeMeshEnabled is false)",
      name,
    ],
    [
      { nodeToNodeMeshEnabled: false, nodeMeshMaxRestartTime: "5s" },
      "error with field spec (nodeMeshMaxRestartTime cannot be set when nodeToNodeMeshEnabled is false)",
      name,
    ],
    [{ nodeToNodeMeshEnabled: true, nodeMeshPassword: secret }, "", name],
    [
      { communities: [{ name: "a", value: "65000:1" }] },
      "error with field spec (communities are defined but not used in prefixAdvertisements)",
    ],
    [{ communities: [{ name: "a", value: "1:2:3" }], prefixAdvertisements: advertise }, ""],
    [
      { communities: [{ name: "a", value: "65536:1" }], prefixAdvertisements: advertise },
      "error with field Spec.Communities[].Value = '65536:1' (invalid community value, expected 16 bit value)",
    ],
    [
      { communities: [{ name: "a", value: "1:2:4294967296" }], prefixAdvertisements: advertise },
      "error with field Spec.Communities[].Value = '1:2:4294967296' (invalid community value, expected 32 bit value)",
    ],
    [
      { communities: [{ name: "a", value: "x" }], prefixAdvertisements: advertise },
      "error with field Spec.Communities[].Value = 'x' (invalid community value or format used.)",
    ],
    [
      { prefixAdvertisements: [{ cidr: "x", communities: ["nobody"] }] },
      "error with the following fields:\n" +
        "-  Spec.PrefixAdvertisement[].CIDR = 'x' (invalid CIDR value.)\n" +
        "-  Spec.PrefixAdvertisement[].Communities[] = 'nobody' (community used is invalid or not defined.)\n",
    ],
    [
      { serviceClusterIPs: [{ cidr: "10.0.0.1" }] },
      'error with field spec.serviceClusterIPs[0].cidr (spec.serviceClusterIPs[0].cidr in body must be of type cidr: "10.0.0.1")',
      name,
    ],
    [{ ignoredInterfaces: ["*"] }, tagged("IgnoredInterfaces[0]", "*", "ignoredInterface")],
    [
      { localWorkloadPeeringIPV4: "fd00::1" },
      tagged("LocalWorkloadPeeringIPV4", "fd00::1", "ipv4"),
    ],
  ]);
});

test("BGPPeer: fields and their relations", () => {
  const rule = (message: string) => `error with field spec (${message})`;
  check("BGPPeer", [
    [{}, ""],
    [{ peerIP: "192.0.2.1", asNumber: 64513 }, ""],
    [{ peerIP: "192.0.2.1:1790", asNumber: "64513" }, ""],
    [{ peerIP: "[fd00::1]:179", reachableBy: "fd00::2" }, ""],
    [{ peerSelector: "has(rr)", nodeSelector: "all()" }, ""],
    [{ peerIP: "192.0.2.1:0" }, tagged("PeerIP", "192.0.2.1:0", "IP:port")],
    [{ peerIP: "router" }, tagged("PeerIP", "router", "IP:port")],
    [{ node: "A" }, tagged("Node", "A", "name")],
    [{ peerSelector: "a" }, tagged("PeerSelector", "a", "selector")],
    [{ node: "a", nodeSelector: "all()" }, rule("node and nodeSelector cannot both be set")],
    [
      { peerIP: "192.0.2.1", peerSelector: "all()" },
      rule("peerIP and peerSelector cannot both be set"),
    ],
    [
      { asNumber: 1, peerSelector: "all()" },
      rule("asNumber must be empty when peerSelector is set"),
    ],
    [{ asNumber: 0, peerSelector: "all()" }, ""],
    [
      { localWorkloadSelector: "all()" },
      rule("asNumber is required when localWorkloadSelector is set"),
    ],
    [
      { localWorkloadSelector: "all()", asNumber: 1, peerIP: "192.0.2.1" },
      rule("peerIP must be empty when localWorkloadSelector is set"),
    ],
    [{ reachableBy: "192.0.2.1" }, rule("reachableBy must be empty when peerIP is empty")],
    [
      { peerIP: "192.0.2.1", reachableBy: "fd00::1" },
      "error with field ReachableBy = 'fd00::1' (ReachableBy and PeerIP address family mismatched)",
    ],
    [
      { keepOriginalNextHop: true, nextHopMode: "Self" },
      rule(
        "keepOriginalNextHop and nextHopMode cannot both be set; keepOriginalNextHop is deprecated, use nextHopMode instead",
      ),
    ],
    [{ keepOriginalNextHop: false, nextHopMode: "Self" }, ""],
    [{ filters: ["a", "b"] }, ""],
    [{ filters: ["a", "A"] }, tagged("Filters[1]", "A", "name")],
  ]);
  const peer = build("BGPPeer", { filters: ["a", "b", "c"], node: "A" });
  for (const existing of [undefined, build("BGPPeer", {})]) {
    const more = { ...(existing && { existing }), filters: ["b"] };
    assert.equal(
      refusalOf(peer, more),
      "error with field BGPPeer.Spec.Filters = '[a c]' (BGPFilter(s) not found)",
    );
    assert.match(refusalOf(peer, { ...more, filters: ["a", "b", "c"] }), /^error with field Node/);
  }
});

test("Node: addresses", () => {
  check("Node", [
    [{}, ""],
    [{ bgp: { ipv4Address: "10.0.0.1/24", asNumber: 64512 } }, ""],
    [{ bgp: { asNumber: 64512 } }, ""],
    [{ bgp: {} }, "error with field BGP (Spec.BGP should not be empty)"],
    [{ bgp: { ipv4Address: "fd00::1" } }, tagged("IPv4Address", "fd00::1", "cidrv4")],
    [
      { bgp: { ipv4Address: "10.0.0.1/24", ipv4IPIPTunnelAddr: "10.0.0.1/32" } },
      tagged("IPv4IPIPTunnelAddr", "10.0.0.1/32", "ipv4"),
    ],
    [{ bgp: { routeReflectorClusterID: "244.0.0.1" } }, ""],
    [{ vxlanTunnelMACAddr: "66:00:00:00:00:01" }, ""],
    [{ vxlanTunnelMACAddr: "66:00:00" }, tagged("VXLANTunnelMACAddr", "66:00:00", "mac")],
    [{ addresses: [{ address: "10.0.0.1", type: "InternalIP" }] }, ""],
    [{ addresses: [{ address: "10.0.0.1", type: "Other" }] }, tagged("Type", "Other", "ipType")],
  ]);
});

test("FelixConfiguration: rules of the fields obeyed", () => {
  check("FelixConfiguration", [
    [{ ipipMTU: 1480, routeRefreshInterval: "1m30s", natOutgoingAddress: "192.0.2.1" }, ""],
    [{ nodeSelector: "a" }, tagged("NodeSelector", "a", "selector")],
    [{ mtuIfacePattern: "(" }, tagged("MTUIfacePattern", "(", "regexp")],
    [
      { routeRefreshInterval: "1.5s" },
      "error with field spec.routeRefreshInterval (spec.routeRefreshInterval in body should match '^([0-9]+(\\\\.[0-9]+)?(ms|s|m|h))*$')",
    ],
    [
      { natOutgoingAddress: "fd00::1" },
      "error with field spec (natOutgoingAddress must be a valid IPv4 address)",
    ],
    [
      { deviceRouteSourceAddress: "x" },
      "error with field spec (deviceRouteSourceAddress must be a valid IPv4 address)",
    ],
    [
      { externalNodesList: ["10.0.0.0/8", "x"] },
      "error with field ExternalNodesCIDRList = 'x' (has invalid CIDR(s))",
    ],
    [
      { externalNodesList: ["fd00::/8"] },
      "error with field ExternalNodesCIDRList = 'fd00::/8' (has invalid IPv6 CIDR)",
    ],
    [
      { ipv4NormalRoutePriority: 0 },
      "error with field spec.ipv4NormalRoutePriority (spec.ipv4NormalRoutePriority in body should be greater than or equal to 1)",
    ],
  ]);
  const felixOnly = { bpfEnabled: false, FailsafeInboundHostPorts: [{ port: 22 }] };
  assert.deepEqual(build("FelixConfiguration", felixOnly).spec, {
    bpfEnabled: false,
    failsafeInboundHostPorts: [{ port: 22 }],
  });
  const resource = build("FelixConfiguration", {});
  assert.equal(prepareForWrite({ resource, operation: "create" }).spec.floatingIPs, "Disabled");
});

test("Service: a DNS label for a name, addresses that are some", () => {
  const label = (value: string) =>
    `error with field Metadata.Name = '${value}' (the name of a Service is a DNS label: ^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$)`;
  check("Service", [
    [{ clusterIP: "None", clusterIPs: ["None"] }, ""],
    [{ clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "fd00::9"], externalIPs: ["::1"] }, ""],
    [{ type: "ExternalName", externalName: "example.com" }, ""],
    [{ clusterIP: "10.96.0" }, tagged("ClusterIP", "10.96.0", "ip")],
    [{ clusterIPs: ["::1", "x"] }, tagged("ClusterIPs[1]", "x", "ip")],
    [{ externalIPs: ["10.0.0.0/8"] }, tagged("ExternalIPs[0]", "10.0.0.0/8", "ip")],
    [{}, label("a.b"), { name: "a.b" }],
    [{}, label("1a"), { name: "1a" }],
  ]);
  const required = "Reason: failed to validate Field: AddressType because of Tag: required";
  assert.match(refusalOf(build("EndpointSlice", {})), new RegExp(required));
});

test("singletons", () => {
  check("ClusterInformation", [
    [{}, "", { name: "default" }],
    [{}, 'Cannot create a Cluster Information resource with a name other than "default"'],
  ]);
  check("IPAMConfiguration", [
    [{ maxBlocksPerHost: 20 }, "", { name: "default" }],
    [{}, 'Cannot create an IPAMConfiguration resource with a name other than "default"'],
    [
      { maxBlocksPerHost: -1 },
      "error with the following fields:\n" +
        "-  MaxBlocksPerHost = '-1' (must be greater than or equal to 0)\n" +
        "-  spec.maxBlocksPerHost (spec.maxBlocksPerHost in body should be greater than or equal to 0)\n",
    ],
    [
      { ipCooldownSeconds: 1201 },
      "error with field spec.ipCooldownSeconds (spec.ipCooldownSeconds in body should be less than or equal to 1200)",
    ],
  ]);
  const resource = build("IPAMConfiguration", {}, { name: "default" });
  assert.deepEqual(prepareForWrite({ resource, operation: "create" }).spec, {
    strictAffinity: false,
    autoAllocateBlocks: true,
    maxBlocksPerHost: 0,
    ipCooldownSeconds: 0,
  });
});

test("whatever decodes is either prepared or refused by name, and preparing twice changes nothing", () => {
  const text = fc.constantFrom(
    "",
    "x",
    "10.0.0.0/16",
    "10.0.0.1",
    "fd00::/64",
    "all()",
    "a = b",
    "default",
    "Always",
    "5s",
    "::",
    "169.254.0.0/8",
  );
  const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text));
  const fields = [
    "cidr",
    "ipipMode",
    "vxlanMode",
    "blockSize",
    "nodeSelector",
    "namespaceSelector",
    "allowedUses",
    "disabled",
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...fields), value), text, (spec, name) => {
      try {
        const once = prepareForWrite({
          resource: build("IPPool", spec, { name }),
          operation: "create",
        });
        const twice = prepareForWrite({ resource: once, operation: "update", existing: once });
        assert.deepEqual(twice, once);
      } catch (error) {
        assert.ok(error instanceof SwitchyardError, `${error}`);
        assert.equal(error.code, "RESOURCE_INVALID");
      }
    }),
    { numRuns: 3000 },
  );
});
