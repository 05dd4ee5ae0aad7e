/** Every kind of link with every attribute, held against `ip -d -j link`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode, ipAddress, ipv4 } from "../../src/lib/index.ts";
import { closeFd, createTun, deleteTun, openTun } from "../../src/lib/sys/index.ts";
import type { LinkSpec, MacvlanMode, VxlanAttributes } from "../../src/netlink/index.ts";
import { freshNamespace, json, routeSocket } from "./netlink-fixture.ts";
import { comparable, ipLinks } from "./netlink-ip-link.ts";

const base = { learning: false, port: 4789 };

const vxlans: Readonly<Record<string, VxlanAttributes>> = {
  "as Calico makes it": { vni: 4096, ...base, local: ipv4("10.0.0.1"), device: 2 },
  "a multicast group": { ...base, vni: 1, group: ipv4("239.1.1.1"), device: 2, learning: true },
  "one remote": { ...base, vni: 2, group: ipv4("10.0.0.9"), local: ipv4("10.0.0.1") },
  "over IPv6": {
    ...base,
    vni: 3,
    group: ipAddress("fd00::9"),
    local: ipAddress("fd00::1"),
    flowLabel: 0x12345,
    udpZeroChecksum6Tx: true,
    udpZeroChecksum6Rx: true,
  },
  "every number": {
    ...base,
    vni: 4,
    ttl: 7,
    tos: 0x10,
    df: "set",
    ageingSeconds: 77,
    limit: 9,
    portRange: { low: 1000, high: 2000 },
  },
  "all inherited": { ...base, vni: 5, ttl: "inherit", tos: "inherit", df: "inherit" },
  "every switch": {
    ...base,
    vni: 6,
    learning: true,
    proxy: true,
    rsc: true,
    l2miss: true,
    l3miss: true,
    udpChecksum: false,
    remoteChecksumTx: true,
    remoteChecksumRx: true,
    gbp: true,
    localBypass: true,
  },
  "flow-based": { ...base, vni: 0, port: 4790, external: true, vniFilter: true },
  gpe: { ...base, vni: 0, port: 4791, external: true, gpe: true },
};

test("vxlan: what is told is what `ip -d link` shows", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  await socket.createLink({ kind: "veth", name: "eth0", up: true, peer: { name: "far" } });
  const parent = (await socket.link("eth0"))!.index;
  for (const [what, vxlan] of Object.entries(vxlans)) {
    const told = vxlan.device === undefined ? vxlan : { ...vxlan, device: parent };
    const made = await socket.createLink({ kind: "vxlan", name: "vx", vxlan: told });
    const [shown] = ipLinks(namespace).filter(({ name }) => name === "vx");
    assert.deepEqual(comparable([made]), [shown], what);
    // All that was told is there.
    assert.deepEqual({ ...made.vxlan, ...told }, made.vxlan, what);
    await socket.deleteLink(made.index);
  }
});

test("vxlan: what the kernel can change it changes, the rest it refuses by name", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const vxlan = { ...base, vni: 1, ttl: 3 };
  const { index } = await socket.createLink({ kind: "vxlan", name: "vx", vxlan });
  await socket.changeLink(index, { vxlan: { ageingSeconds: 60, ttl: "auto", learning: true } });
  const changed = (await socket.link("vx"))!;
  assert.deepEqual(
    [changed.vxlan?.ageingSeconds, changed.vxlan?.ttl, changed.vxlan?.learning],
    [60, "auto", true],
  );
  assert.deepEqual(
    comparable([changed]),
    ipLinks(namespace).filter(({ name }) => name === "vx"),
  );
  await assert.rejects(socket.changeLink(index, { vxlan: { vni: 9 } }), {
    code: "NETLINK_REFUSED",
    message: `link set if${index} type vxlan: Operation not supported (Cannot change VNI)`,
  });
  await assert.rejects(socket.changeLink(index, { vxlan: { df: "5" as never } }), (error) => {
    assert.ok(hasCode(error, "NETLINK_REFUSED"));
    assert.equal(error.details.attribute, "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_DF");
    assert.match(error.message, /\(IFLA_LINKINFO\.IFLA_INFO_DATA\.IFLA_VXLAN_DF: .+\)$/);
    return true;
  });
});

test("bridges and their ports", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const bridge = await socket.createLink({
    kind: "bridge",
    name: "br0",
    bridge: {
      stpState: 1,
      forwardDelayCentiseconds: 400,
      helloTimeCentiseconds: 100,
      maxAgeCentiseconds: 700,
      ageingTimeCentiseconds: 6000,
      priority: 0x1000,
      groupForwardMask: 8,
      multicastSnooping: false,
    },
  });
  const port = await socket.createLink({ kind: "veth", name: "p", peer: { name: "q" } });
  await socket.changeLink(port.index, { master: bridge.index });
  await socket.changeLink(port.index, {
    bridgePort: {
      hairpin: true,
      isolated: true,
      learning: false,
      cost: 50,
      neighbourSuppress: true,
    },
  });
  await socket.changeLink(bridge.index, { bridge: { stpState: 0, ageingTimeCentiseconds: 100 } });
  const links = await socket.links();
  assert.deepEqual(comparable(links), ipLinks(namespace));
  const read = links.find(({ name }) => name === "p")?.bridgePort;
  assert.deepEqual(
    [read?.hairpin, read?.isolated, read?.learning, read?.cost, read?.neighbourSuppress],
    [true, true, false, 50, true],
  );
  // VLAN filtering is a choice at the kernel's build.
  const filtering = await socket.changeLink(bridge.index, { bridge: { vlanFiltering: true } }).then(
    () => "on",
    (error: Error) => error.message,
  );
  const shown = ipLinks(namespace).find(({ name }) => name === "br0")?.bridge?.vlanFiltering;
  if (filtering === "on") assert.equal(shown, true);
  else assert.match(filtering, /^link set if\d+ type bridge: Operation not supported/);
  await assert.rejects(
    socket.changeLink(bridge.index, { bridgePort: { hairpin: true } }),
    /^SwitchyardError: link set if\d+ type bridge_slave: (Operation not supported|Invalid argument)/,
  );
});

test("macvlan in every mode", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const { index: link } = await socket.createLink({
    kind: "veth",
    name: "eth0",
    peer: { name: "f" },
  });
  const modes: readonly MacvlanMode[] = ["private", "vepa", "bridge", "source", "passthru"];
  for (const mode of modes) {
    const made = await socket.createLink({ kind: "macvlan", name: "mv", link, macvlan: { mode } });
    assert.deepEqual(made.macvlan, { mode });
    assert.equal(made.link, link);
    assert.deepEqual(comparable(await socket.links()), ipLinks(namespace), mode);
    await socket.deleteLink(made.index);
  }
  const changing = await socket.createLink({
    kind: "macvlan",
    name: "mv",
    link,
    macvlan: { mode: "private" },
  });
  await socket.changeLink(changing.index, { macvlan: { mode: "vepa" } });
  assert.equal((await socket.link("mv"))?.macvlan?.mode, "vepa");
});

test("tun and tap devices come from /dev/net/tun, stay if told, and are read as `ip -d link` shows", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const tap = { name: "tap0", mode: "tap", namespace, owner: 3, group: 4 } as const;
  createTun(tap);
  createTun({ name: "tun0", mode: "tun", namespace, packetInformation: true, vnetHeader: true });
  const fd = openTun({ name: "tun1", mode: "tun", namespace, multiQueue: true });
  const data = json(namespace, "ip", "-d", "-j", "link")
    .map((link) => [link.ifname, (link.linkinfo as Record<string, unknown> | undefined)?.info_data])
    .filter(([, each]) => each !== undefined) as [string, Record<string, unknown>][];
  assert.deepEqual(
    data.map(([name, each]) => [
      name,
      each.type,
      each.pi,
      each.vnet_hdr,
      each.multi_queue,
      each.persist,
    ]),
    (await socket.links())
      .filter(({ tun }) => tun !== undefined)
      .map(({ name, tun }) => [
        name,
        tun?.mode,
        tun?.packetInformation,
        tun?.vnetHeader,
        tun?.multiQueue,
        tun?.persist,
      ]),
  );
  assert.deepEqual((await socket.link("tap0"))?.tun, {
    mode: "tap",
    owner: 3,
    group: 4,
    packetInformation: false,
    vnetHeader: false,
    multiQueue: false,
    persist: true,
  });
  assert.equal((await socket.link("tun1"))?.tun?.queues, 1);
  closeFd(fd);
  deleteTun(tap);
  const left = (await socket.links()).map(({ name }) => name);
  assert.deepEqual(left, ["lo", "tun0"]);
  assert.throws(() => openTun({ name: "tun0", mode: "tap", namespace }), {
    code: "SYSTEM_CALL_FAILED",
    message: "ioctl(TUNSETIFF) on tun0: Invalid argument",
  });
  for (const name of ["", "0123456789abcdef", "a/b", "a b"]) {
    assert.throws(() => openTun({ name, mode: "tun" }), { code: "INVALID_ARGUMENT" });
  }
});

test("kinds this kernel may not have: made, or refused in the kernel's words", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const specs: readonly LinkSpec[] = [
    { kind: "dummy", name: "k0", mtu: 1400 },
    { kind: "wireguard", name: "k1", mtu: 1420 },
    {
      kind: "ipip",
      name: "k2",
      ipip: { local: ipv4("10.0.0.1"), ttl: 64, pathMtuDiscovery: true },
    },
  ];
  for (const spec of specs) {
    const made = await socket.createLink(spec).catch((error: Error) => error);
    if (made instanceof Error) {
      assert.equal(
        made.message,
        `link add ${spec.name} type ${spec.kind}: Operation not supported (Unknown device type)`,
      );
    } else {
      assert.deepEqual([made.kind, made.mtu], [spec.kind, spec.mtu ?? 1480]);
    }
  }
});

test("alias, queue length, group and queues of any link", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const { index } = await socket.createLink({
    kind: "ifb",
    name: "ifb9",
    txQueueLength: 77,
    txQueues: 2,
    rxQueues: 2,
  });
  await socket.changeLink(index, { alias: "to the lab", group: 5, txQueueLength: 78 });
  const [link] = (await socket.links()).filter(({ name }) => name === "ifb9");
  assert.deepEqual([link?.alias, link?.group, link?.txQueueLength], ["to the lab", 5, 78]);
  assert.deepEqual(
    comparable([link!]),
    ipLinks(namespace).filter(({ name }) => name === "ifb9"),
  );
});
