import assert from "node:assert/strict";
import { test } from "node:test";
import { applyReadDefaults } from "./ip-pool.ts";
import { prepareForWrite } from "./prepare.ts";
import { pool, refusalOf } from "./rules.test-support.ts";

const cidr = "10.0.0.0/16";
const tooSmall =
  "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size.";
const blockRange =
  "blockSize must be between 20 and 32 for IPv4 pools, and between 116 and 128 for IPv6 pools";

test("a pool that says only its CIDR is stored with every default", () => {
  const prepared = prepareForWrite({ resource: pool("p", { cidr }), operation: "create" });
  assert.deepEqual(prepared.spec, {
    cidr,
    vxlanMode: "Never",
    ipipMode: "Never",
    blockSize: 26,
    nodeSelector: "all()",
    allowedUses: ["Workload", "Tunnel"],
    assignmentMode: "Automatic",
  });
  const v6 = prepareForWrite({
    resource: pool("p", { cidr: "FD00:0::/64" }),
    operation: "create",
  });
  assert.equal(v6.spec.cidr, "fd00::/64");
  assert.equal(v6.spec.blockSize, 122);
});

test("reading applies the same defaults and keeps what is set", () => {
  const spec = { cidr, ipipMode: "Always", blockSize: 28, nodeSelector: "has(a)" };
  assert.deepEqual(applyReadDefaults(pool("p", spec)).spec, {
    cidr,
    vxlanMode: "Never",
    ipipMode: "Always",
    blockSize: 28,
    nodeSelector: "has(a)",
    allowedUses: ["Workload", "Tunnel"],
    assignmentMode: "Automatic",
  });
});

test("pools that may be stored", () => {
  const rows: object[] = [
    { cidr, ipipMode: "CrossSubnet" },
    { cidr, vxlanMode: "Always" },
    { cidr: "fd00::/64", vxlanMode: "CrossSubnet" },
    { cidr: "10.0.0.0/26" },
    { cidr: "10.0.0.0/30", disabled: true },
    { cidr: "10.0.0.0/32", blockSize: 32 },
    { cidr, allowedUses: ["LoadBalancer"] },
    { cidr, allowedUses: ["Workload"], namespaceSelector: "has(a)" },
    { cidr: "169.253.0.0/16" },
    { cidr, blockSize: 0 },
  ];
  for (const spec of rows) assert.equal(refusalOf(pool("p", spec)), "", JSON.stringify(spec));
});

test("pools that may not, and why", () => {
  const rows: [spec: object, message: string][] = [
    [{}, "error with field IPPool.Spec.CIDR (IPPool CIDR must be specified)"],
    [
      { cidr: "10.0.0.0" },
      "error with field IPPool.Spec.CIDR = '10.0.0.0' (IPPool CIDR must be a valid subnet)",
    ],
    [
      { cidr: "10.0.0.0/33" },
      "error with field IPPool.Spec.CIDR = '10.0.0.0/33' (IPPool CIDR must be a valid subnet)",
    ],
    [
      { cidr: "fd5f::1/123" },
      "error with field IPPool.Spec.CIDR = 'fd5f::/123' (IPPool CIDR is not strictly masked)",
    ],
    [
      { cidr, ipipMode: "Always", vxlanMode: "CrossSubnet" },
      "error with field spec (ipipMode and vxlanMode cannot both be enabled)",
    ],
    [
      { cidr, allowedUses: ["LoadBalancer"], vxlanMode: "Always" },
      "error with field spec (LoadBalancer IP pool cannot have IPIP or VXLAN enabled)",
    ],
    [
      { cidr, allowedUses: ["LoadBalancer", "Tunnel"] },
      "error with field spec (LoadBalancer cannot be combined with Workload or Tunnel allowed uses)",
    ],
    [
      { cidr: "fd00::/64", ipipMode: "Always" },
      "error with field spec (IPIP is not supported on IPv6 pools)",
    ],
    [
      { cidr, namespaceSelector: "has(a)" },
      "error with field spec (IP Pool with AllowedUse Tunnel cannot have namespaceSelector)",
    ],
    [
      { cidr, nodeSelector: "global()" },
      "error with field spec (global() selector is not valid for IPPool nodeSelector)",
    ],
    [
      { cidr, allowedUses: ["Workload"], namespaceSelector: "global()" },
      "error with field spec (global() selector is not valid for IPPool namespaceSelector)",
    ],
    [
      { cidr, nodeSelector: "a = b" },
      "error with field NodeSelector = 'a = b' (Reason: failed to validate Field: NodeSelector because of Tag: selector )",
    ],
    [
      { cidr: "169.254.7.0/24" },
      "error with field spec (IPPool CIDR overlaps with IPv4 link local range 169.254.0.0/16)",
    ],
    [
      { cidr: "169.0.0.0/8" },
      "error with field spec (IPPool CIDR overlaps with IPv4 link local range 169.254.0.0/16)",
    ],
    [
      { cidr: "fe80::/64" },
      "error with field spec (IPPool CIDR overlaps with IPv6 link local range fe80::/10)",
    ],
    [{ cidr, blockSize: 19 }, `error with field spec (${blockRange})`],
    [{ cidr: "fd00::/64", blockSize: 115 }, `error with field spec (${blockRange})`],
    [{ cidr: "10.0.0.0/27" }, `error with field spec (${tooSmall})`],
    [
      { cidr: "169.254.0.0/27", ipipMode: "Always", vxlanMode: "Always", blockSize: 33 },
      "error with the following fields:\n" +
        "-  spec (ipipMode and vxlanMode cannot both be enabled)\n" +
        "-  spec (IPPool CIDR overlaps with IPv4 link local range 169.254.0.0/16)\n" +
        `-  spec (${blockRange})\n`,
    ],
  ];
  for (const [spec, message] of rows) {
    assert.equal(refusalOf(pool("p", spec)), message, JSON.stringify(spec));
  }
});

test("what may not change once a pool exists", () => {
  const existing = pool("p", { cidr, ipipMode: "Always" });
  const rows: [spec: object, message: string][] = [
    [{ cidr, ipipMode: "Never", vxlanMode: "Always", natOutgoing: true }, ""],
    [{ cidr, blockSize: 26 }, ""],
    [
      { cidr: "10.1.0.0/16" },
      "error with field IPPool.Spec.CIDR = '10.1.0.0/16' (IPPool CIDR cannot be modified)",
    ],
    [
      { cidr, blockSize: 27 },
      "error with field IPPool.Spec.BlockSize = '27' (IPPool BlockSize cannot be modified)",
    ],
    [
      { cidr: "10.0.0.0/15", blockSize: 27 },
      "error with the following fields:\n" +
        "-  IPPool.Spec.CIDR = '10.0.0.0/15' (IPPool CIDR cannot be modified)\n" +
        "-  IPPool.Spec.BlockSize = '27' (IPPool BlockSize cannot be modified)\n",
    ],
  ];
  for (const [spec, message] of rows) {
    assert.equal(refusalOf(pool("p", spec), { existing }), message, JSON.stringify(spec));
  }
  const loadBalancer = pool("p", { cidr, allowedUses: ["LoadBalancer"] });
  assert.equal(
    refusalOf(pool("p", { cidr }), { existing: loadBalancer }),
    "error with field IPPool.Spec.AllowedUses = '[Workload Tunnel]' (IPPool allowed use cannot be changed from LoadBalacer to Workload or Tunnel)",
  );
  const noncanonical = pool("p", { cidr: "fd00:0::/64" });
  assert.equal(refusalOf(pool("p", { cidr: "fd00::/64" }), { existing: noncanonical }), "");
});

test("a new pool may overlap no other, whatever the others' state", () => {
  const pools = [
    pool("a", { cidr: "10.0.0.0/16" }),
    pool("b", { cidr: "10.1.0.0/16", disabled: true }),
    pool("c", { cidr: "11.0.0.0/16" }),
  ];
  assert.equal(
    refusalOf(pool("new", { cidr: "10.1.2.0/24" }), { pools }),
    "error with field IPPool.Spec.CIDR = '10.1.2.0/24' (IPPool(new) CIDR overlaps with IPPool(b) CIDR 10.1.0.0/16)",
  );
  assert.equal(
    refusalOf(pool("new", { cidr: "10.0.0.0/8" }), { pools }),
    "error with the following fields:\n" +
      "-  IPPool.Spec.CIDR = '10.0.0.0/8' (IPPool(new) CIDR overlaps with IPPool(a) CIDR 10.0.0.0/16)\n" +
      "-  IPPool.Spec.CIDR = '10.0.0.0/8' (IPPool(new) CIDR overlaps with IPPool(b) CIDR 10.1.0.0/16)\n",
  );
  assert.equal(refusalOf(pool("a", { cidr: "10.0.0.0/16" }), { pools }), "");
  assert.equal(refusalOf(pool("new", { cidr: "10.2.0.0/16" }), { pools }), "");
});
