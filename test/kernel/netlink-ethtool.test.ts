/** Offloads, link state and counters of drivers, held against the `ethtool` program. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type EthtoolSocket, GenericSocket, openEthtool } from "../../src/netlink/index.ts";
import { freshNamespace, routeSocket, run } from "./netlink-fixture.ts";

async function setUp(t: TestContext) {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  await socket.createLink({ kind: "veth", name: "v0", peer: { name: "v1", up: true } });
  const ethtool = openEthtool({ namespace });
  t.after(() => ethtool.close());
  return { namespace, socket, ethtool };
}

/** `ethtool -k` as lines `name: on [fixed]`, of the names that are the kernel's own. */
function shown(namespace: string): Map<string, string> {
  return new Map(
    run(namespace, "ethtool", "-k", "v0")
      .split("\n")
      .slice(1)
      .filter((line) => line !== "")
      .map((line) => line.trim().split(": ") as [string, string]),
  );
}

function read(ethtool: EthtoolSocket): Map<string, string> {
  return new Map(
    [...ethtool.features("v0")].map(([name, { active, wanted, fixed }]) => {
      const state = active ? "on" : "off";
      const asked = !fixed && active !== wanted ? ` [requested ${wanted ? "on" : "off"}]` : "";
      return [name, `${state}${fixed ? " [fixed]" : asked}`];
    }),
  );
}

function assertSame(namespace: string, ethtool: EthtoolSocket): void {
  const ours = read(ethtool);
  const theirs = shown(namespace);
  let compared = 0;
  for (const [name, state] of theirs) {
    if (!ours.has(name)) continue;
    assert.equal(ours.get(name), state, name);
    compared++;
  }
  assert.ok(compared > 40, `only ${compared} features compared`);
}

test("features read as `ethtool -k` shows them, and are switched by its names and the kernel's", async (t) => {
  const { namespace, ethtool } = await setUp(t);
  assertSame(namespace, ethtool);
  const off = ethtool.setFeatures("v0", { "tx-checksumming": false, tso: false, gro: true });
  assert.deepEqual(off.refused, []);
  assert.equal(off.changed.get("tx-checksum-ip-generic"), false);
  assert.equal(off.changed.get("rx-gro"), true);
  const state = shown(namespace);
  assert.equal(state.get("tx-checksumming"), "off");
  assert.equal(state.get("tcp-segmentation-offload"), "off");
  assert.equal(state.get("generic-receive-offload"), "on");
  assertSame(namespace, ethtool);
  const again = ethtool.setFeatures("v0", { tx: false });
  assert.deepEqual([...again.changed], []);
  ethtool.setFeatures("v0", { tx: true, tso: true, "tx-udp-segmentation": false });
  assert.equal(shown(namespace).get("tx-udp-segmentation"), "off");
  assert.equal(shown(namespace).get("tx-checksumming"), "on");
  run(namespace, "ethtool", "-K", "v0", "gso", "off", "sg", "off");
  assertSame(namespace, ethtool);
});

test("a fixed feature is among the refused, an unknown one is no feature, a missing device is said", async (t) => {
  const { ethtool } = await setUp(t);
  assert.deepEqual(ethtool.setFeatures("v0", { lro: true }).refused, ["rx-lro"]);
  assert.throws(() => ethtool.setFeatures("v0", { "no-such": true }), {
    code: "INVALID_ARGUMENT",
    message: 'not a feature of network devices: "no-such"',
  });
  assert.throws(() => ethtool.features("nosuch"), {
    code: "NETLINK_REFUSED",
    message:
      "ethtool -k nosuch: No such device (ETHTOOL_A_FEATURES_HEADER.ETHTOOL_A_HEADER_DEV_NAME: no device matches name)",
  });
});

test("the link's state follows the other end", async (t) => {
  const { ethtool, socket } = await setUp(t);
  assert.deepEqual(ethtool.linkState("v0"), { link: false });
  await socket.changeLink((await socket.link("v0"))!.index, { up: true });
  assert.deepEqual(ethtool.linkState("v0"), { link: true });
});

test("counters of the driver are those of `ethtool -S`", async (t) => {
  const { namespace, ethtool } = await setUp(t);
  const theirs = run(namespace, "ethtool", "-S", "v0")
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => line.trim());
  const ours = [...ethtool.driverStatistics("v0")].map(([name, value]) => `${name}: ${value}`);
  assert.deepEqual(ours, theirs);
  assert.ok(ours.some((line) => line.startsWith("peer_ifindex: ")));
  assert.notEqual(ethtool.driverStatistics("v0").get("peer_ifindex"), 0);
  assert.equal(ethtool.driverStatistics("lo").size, 0);
});

test("families are found by name, with their groups", (t) => {
  const generic = new GenericSocket({ namespace: freshNamespace(t) });
  t.after(() => generic.close());
  const family = generic.family("ethtool");
  assert.equal(family, generic.family("ethtool"));
  assert.deepEqual(
    [family.name, family.version, family.groups.has("monitor")],
    ["ethtool", 1, true],
  );
  assert.ok(family.id >= 16);
  assert.throws(() => generic.family("nosuch"), {
    code: "RESOURCE_NOT_FOUND",
    message: "this kernel has no generic netlink family nosuch",
  });
});
