import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SwitchyardError } from "../lib/index.ts";
import { decodeResource, decodeResourceOf } from "./decode.ts";
import { kinds, kindTable } from "./kinds/index.ts";

const v3 = "projectcalico.org/v3";

function pool(spec: unknown, more: object = {}): unknown {
  return { apiVersion: v3, kind: "IPPool", metadata: { name: "p" }, spec, ...more };
}

test("what Go's decoder takes is taken, in canonical spelling", () => {
  const rows: [title: string, input: unknown, spec: unknown][] = [
    [
      "plain",
      pool({ cidr: "10.0.0.0/16", ipipMode: "Always" }),
      { cidr: "10.0.0.0/16", ipipMode: "Always" },
    ],
    [
      "any case of names",
      pool({ CIDR: "10.0.0.0/16", NatOutGoing: true }),
      { cidr: "10.0.0.0/16", natOutgoing: true },
    ],
    ["null is absent", pool({ cidr: "10.0.0.0/16", disabled: null }), { cidr: "10.0.0.0/16" }],
    ["empty enum is absent", pool({ cidr: "10.0.0.0/16", vxlanMode: "" }), { cidr: "10.0.0.0/16" }],
    ["absent required is zero", pool({}), { cidr: "" }],
    [
      "absent spec is zero",
      { apiVersion: v3, kind: "IPPool", metadata: { name: "p" } },
      { cidr: "" },
    ],
    [
      "any case of headers",
      { APIVERSION: v3, Kind: "IPPool", Metadata: { Name: "p" }, Spec: { cidr: "x" } },
      { cidr: "x" },
    ],
  ];
  for (const [title, input, spec] of rows) {
    const resource = decodeResource(input);
    assert.deepEqual(resource.spec, spec, title);
    assert.equal(resource.metadata.name, "p", title);
    assert.equal(resource.kind, "IPPool", title);
  }
});

test("AS numbers come as number, text or dotted text, and leave as a number", () => {
  const rows: [input: unknown, asNumber: number][] = [
    [64512, 64512],
    ["64512", 64512],
    ["4294967295", 4294967295],
    ["1.10", 65546],
    ["0", 0],
  ];
  for (const [asNumber, expected] of rows) {
    const value = { apiVersion: v3, kind: "BGPPeer", metadata: { name: "p" }, spec: { asNumber } };
    assert.equal(decodeResourceOf("BGPPeer", value).spec.asNumber, expected);
  }
  for (const bad of ["x", "65536.1", "1.2.3", "4294967296", 4294967296, -1, 1.5, ""]) {
    const value = {
      apiVersion: v3,
      kind: "BGPPeer",
      metadata: { name: "p" },
      spec: { asNumber: bad },
    };
    const message = `invalid AS Number format (${bad})`;
    assert.throws(() => decodeResource(value), { name: "SwitchyardError", message }, `${bad}`);
  }
});

test("durations are kept as Go prints them", () => {
  const spec = (maxRestartTime: string) => ({
    apiVersion: v3,
    kind: "BGPPeer",
    metadata: { name: "p" },
    spec: { maxRestartTime },
  });
  assert.equal(decodeResourceOf("BGPPeer", spec("125s")).spec.maxRestartTime, "2m5s");
  const message = 'time: invalid duration "soon"';
  assert.throws(() => decodeResource(spec("soon")), { name: "SwitchyardError", message });
});

test("refusals name the field in Go's words", () => {
  const rows: [input: unknown, message: string][] = [
    [pool({ cidr: "10.0.0.0/16", foo: 1 }), 'strict decoding error: unknown field "spec.foo"'],
    [
      { ...(pool({ cidr: "x", foo: 1 }) as object), bar: {} },
      'strict decoding error: unknown field "spec.foo", unknown field "bar"',
    ],
    [
      { apiVersion: v3, kind: "Node", metadata: { name: "n" }, spec: { bgp: { asn: 1 } } },
      'strict decoding error: unknown field "spec.bgp.asn"',
    ],
    [
      { apiVersion: v3, kind: "Node", metadata: { name: "n" }, spec: { addresses: [{ x: 1 }] } },
      'strict decoding error: unknown field "spec.addresses[0].x"',
    ],
    [
      pool({ cidr: "10.0.0.0/16", disabled: "yes" }),
      "json: cannot unmarshal string into Go struct field IPPool.spec.disabled of type bool",
    ],
    [
      pool({ cidr: 10 }),
      "json: cannot unmarshal number 10 into Go struct field IPPool.spec.cidr of type string",
    ],
    [
      pool({ cidr: "10.0.0.0/16", blockSize: 26.5 }),
      "json: cannot unmarshal number 26.5 into Go struct field IPPool.spec.blockSize of type int",
    ],
    [
      pool({ cidr: "10.0.0.0/16", ipipMode: "always" }),
      'error with field spec.ipipMode (supported values: "Never", "Always", "CrossSubnet")',
    ],
    [
      pool({ cidr: "10.0.0.0/16", ipipMode: "x", vxlanMode: "y" }),
      'error with the following fields:\n-  spec.vxlanMode (supported values: "Never", "Always", "CrossSubnet")\n' +
        '-  spec.ipipMode (supported values: "Never", "Always", "CrossSubnet")\n',
    ],
    [
      pool({ cidr: "10.0.0.0/16", allowedUses: ["Workload", "Garden"] }),
      "error with the following fields:\n" +
        "-  IPpool.AllowedUses = '[Workload Garden]' (unknown use: Garden)\n" +
        '-  spec.allowedUses[1] (supported values: "Workload", "Tunnel", "LoadBalancer")\n',
    ],
    [pool({ cidr: "x" }, { kind: "Pool" }), `unknown resource type (Pool) and/or version (${v3})`],
    [
      pool({ cidr: "x" }, { kind: "toString" }),
      `unknown resource type (toString) and/or version (${v3})`,
    ],
    [
      pool({ cidr: "x" }, { apiVersion: "v1" }),
      "unknown resource type (IPPool) and/or version (v1)",
    ],
    [{}, "unknown resource type () and/or version ()"],
    [[], "json: cannot unmarshal array into a resource: expected an object"],
    ["text", "json: cannot unmarshal string into a resource: expected an object"],
    [null, "json: cannot unmarshal null into a resource: expected an object"],
  ];
  for (const [input, message] of rows) {
    assert.throws(
      () => decodeResource(input),
      { name: "SwitchyardError", code: "RESOURCE_INVALID", message },
      JSON.stringify(input),
    );
  }
});

test("a resource of every kind decodes to something that decodes to itself", () => {
  for (const kind of kinds) {
    const { apiVersion } = kindTable[kind];
    const once = decodeResource({ apiVersion, kind, metadata: { name: "n" } });
    assert.deepEqual(decodeResource(JSON.parse(JSON.stringify(once))), once, kind);
  }
});

test("a Service keeps whatever else Kubernetes has written into it", () => {
  const given = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop" },
    spec: { clusterIP: "10.96.0.9", ports: [{ port: 80 }], selector: { app: "web" } },
    status: { conditions: [], loadBalancer: { ingress: [{ ip: "203.0.113.9", ipMode: "VIP" }] } },
  };
  assert.deepEqual(decodeResource(given), given);
});

test("an EndpointSlice has its fields beside its metadata, and no spec", () => {
  const given = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-x2k9q", namespace: "shop" },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.244.1.5"], nodeName: "n1", conditions: { serving: true } }],
    ports: [{ name: "", port: 8080 }],
  };
  assert.deepEqual(decodeResource(given), given);
  const { ports: _, ...rest } = given;
  assert.deepEqual(decodeResource({ ...given, endpoints: null, ports: null }), {
    ...{ ...rest, endpoints: [] },
  });
  assert.throws(() => decodeResource({ ...given, topology: {} }), /unknown field "topology"/);
  const nodeName = 3;
  const refused = { ...given, endpoints: [{ addresses: [], nodeName }] };
  assert.throws(
    () => decodeResource(refused),
    /number 3 into Go struct field EndpointSlice.endpoints.nodeName/,
  );
});

test("no JSON whatsoever makes the decoder fail otherwise than by refusing", () => {
  const kind = fc.constantFrom(...kinds);
  const resource = kind.chain((name) =>
    fc.record(
      {
        apiVersion: fc.constant(kindTable[name].apiVersion),
        kind: fc.constant(name),
        metadata: fc.oneof(fc.jsonValue(), fc.record({ name: fc.string() })),
        spec: fc.oneof(
          fc.jsonValue(),
          fc.dictionary(fc.constantFrom(...fieldsOf(name), "__proto__", "x"), fc.jsonValue()),
        ),
        status: fc.jsonValue(),
        ...("body" in kindTable[name] && {
          endpoints: fc.oneof(
            fc.jsonValue(),
            fc.array(fc.record({ addresses: fc.jsonValue(), conditions: fc.jsonValue() })),
          ),
          addressType: fc.oneof(fc.constant("IPv4"), fc.jsonValue()),
        }),
      },
      { requiredKeys: ["apiVersion", "kind"] },
    ),
  );
  fc.assert(
    fc.property(fc.oneof(resource, fc.jsonValue()), (value) => {
      try {
        decodeResource(value);
      } catch (error) {
        assert.ok(
          error instanceof SwitchyardError,
          `${error instanceof Error ? error.stack : error}`,
        );
        assert.equal(error.code, "RESOURCE_INVALID");
      }
    }),
    { numRuns: 3000 },
  );
});

function fieldsOf(kind: (typeof kinds)[number]): string[] {
  const { spec } = kindTable[kind];
  return "shape" in spec ? Object.keys(spec.shape) : [];
}
