/** What we read and write of links, addresses, neighbours, fdb and rules, held against iproute2's JSON. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, formatPrefix, ipAddress, ipv4, prefix } from "../../src/lib/index.ts";
import { closeFd, openUdpSocket, sendFd } from "../../src/lib/sys/index.ts";
import {
  addressDelete,
  addressReplace,
  fdbAppend,
  fdbDelete,
  fdbReplace,
  formatRule,
  linkDelete,
  linkSet,
  neighbourDelete,
  neighbourReplace,
  openRouteSocket,
  type Rule,
  ruleAdd,
  ruleDelete,
} from "../../src/netlink/index.ts";
import {
  freshNamespace,
  json,
  must,
  routeSocket,
  run,
  vethWithAddresses,
} from "./netlink-fixture.ts";
import { comparable, ipLinks } from "./netlink-ip-link.ts";

test("links of every kind read as `ip -d link` shows them", async (t) => {
  const namespace = freshNamespace(t);
  const other = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const veth = await socket.createLink({
    kind: "veth",
    name: "eth0",
    mac: "02:00:00:00:00:01",
    mtu: 1400,
    up: true,
    peer: { name: "far0", mac: "02:00:00:00:00:02", mtu: 1400, up: true, namespace: other },
  });
  const bridge = await socket.createLink({ kind: "bridge", name: "br0", up: true });
  await socket.createLink({ kind: "veth", name: "port0", peer: { name: "port1" } });
  const port = (await socket.link("port0"))!;
  await socket.changeLink(port.index, { master: bridge.index, up: true });
  const ifb = await socket.createLink({ kind: "ifb", name: "tunl0", mac: veth.mac!, mtu: 1380 });
  const vxlan = await socket.createLink({
    kind: "vxlan",
    name: "vxlan.calico",
    mac: "66:00:00:00:00:01",
    mtu: 1350,
    up: true,
    vxlan: { vni: 4096, port: 4789, local: ipv4("10.0.0.1"), device: veth.index, learning: false },
  });
  await socket.createLink({
    kind: "vxlan",
    name: "vxlan6",
    vxlan: { vni: 4097, port: 4790, local: ipAddress("fd00::1"), learning: true },
  });
  assert.deepEqual(comparable(await socket.links()), ipLinks(namespace));
  assert.deepEqual(await socket.link(vxlan.index), vxlan);
  assert.deepEqual(await socket.link("vxlan.calico"), vxlan);
  assert.equal(ifb.mac, "02:00:00:00:00:01");
  const far = await routeSocket(t, other).link("far0");
  assert.deepEqual(
    { mac: far?.mac, mtu: far?.mtu, up: far?.up, operState: far?.operState },
    { mac: "02:00:00:00:00:02", mtu: 1400, up: true, operState: "UP" },
  );
  assert.deepEqual(comparable(await routeSocket(t, other).links()), ipLinks(other));
});

test("links change, move to another namespace and go", async (t) => {
  const namespace = freshNamespace(t);
  const other = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const { index } = await socket.createLink({ kind: "veth", name: "a", peer: { name: "b" } });
  await socket.changeLink(index, { name: "c", mtu: 1300, mac: "02:00:00:00:00:0a", arp: false });
  assert.deepEqual(comparable(await socket.links()), ipLinks(namespace));
  assert.equal((await socket.link("c"))?.arp, false);
  assert.equal(await socket.link("a"), undefined);
  await must(socket, linkSet(index, { up: true, arp: true }));
  assert.equal((await socket.link(index))?.up, true);
  await socket.changeLink(index, { namespace: other });
  assert.equal(await socket.link(index), undefined);
  const there = routeSocket(t, other);
  const moved = (await there.link("c"))!;
  assert.equal(moved.mtu, 1300);
  await must(there, linkDelete(moved.index));
  assert.deepEqual(
    (await socket.links()).map(({ name }) => name),
    ["lo"],
  );
});

test("a bridge takes a port and lets it go", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const bridge = await socket.createLink({ kind: "bridge", name: "br0" });
  const port = await socket.createLink({ kind: "veth", name: "p", peer: { name: "q" } });
  await socket.changeLink(port.index, { master: bridge.index });
  assert.equal((await socket.link("p"))?.master, bridge.index);
  await socket.changeLink(port.index, { master: 0 });
  assert.equal((await socket.link("p"))?.master, undefined);
});

test("counters are those of `ip -s link`", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const sink = openUdpSocket({ namespace, address: ipv4("127.0.0.1"), port: 9 });
  const source = openUdpSocket({ namespace, peer: { address: ipv4("127.0.0.1"), port: 9 } });
  t.after(() => [sink, source].forEach(closeFd));
  for (let i = 0; i < 6; i++) sendFd(source, new Uint8Array(100));
  const [shown] = json(namespace, "ip", "-s", "-j", "link", "show", "lo") as unknown as {
    stats64: { rx: { packets: number; bytes: number }; tx: { packets: number; bytes: number } };
  }[];
  const statistics = (await socket.statistics("lo"))!;
  assert.ok(statistics.rxPackets >= 6);
  assert.deepEqual(
    { rx: statistics.rxPackets, rxBytes: statistics.rxBytes, tx: statistics.txPackets },
    {
      rx: shown?.stats64.rx.packets,
      rxBytes: shown?.stats64.rx.bytes,
      tx: shown?.stats64.tx.packets,
    },
  );
  assert.equal(await socket.statistics("nosuch"), undefined);
});

test("addresses read as `ip address` shows them, and are replaced and deleted", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const index = await vethWithAddresses(t, namespace);
  const point = { index, prefix: prefix("10.5.0.1/32"), peer: ipv4("10.5.0.2"), scope: "link" };
  const second = { index, prefix: prefix("10.0.0.9/24"), scope: "global", label: "v0:x" };
  await must(socket, addressReplace(point), addressReplace(second), addressReplace(second));
  const shown = json(namespace, "ip", "-j", "address", "show").flatMap((link) =>
    (link.addr_info as Record<string, unknown>[]).map((info) =>
      [
        link.ifindex,
        `${info.local}/${info.prefixlen}`,
        info.address ?? "-",
        info.scope,
        info.label ?? "-",
        info.secondary === true,
      ].join(" "),
    ),
  );
  const read = (await socket.addresses()).map((address) =>
    [
      address.index,
      formatPrefix(address.prefix),
      address.peer === undefined ? "-" : formatAddress(address.peer),
      address.scope,
      address.label ?? "-",
      address.flags?.includes("secondary") === true,
    ].join(" "),
  );
  assert.deepEqual(read.sort(), shown.sort());
  assert.ok(read.some((line) => line.includes("10.5.0.1/32 10.5.0.2 link")));
  await must(socket, addressDelete(point), addressDelete(second));
  assert.deepEqual(
    (await socket.addresses({ index, family: 4 })).map((address) => formatPrefix(address.prefix)),
    ["10.0.0.1/24"],
  );
  const [refused] = await socket.execute([addressDelete(second, () => "v0")]);
  assert.equal(
    refused?.message,
    "address delete 10.0.0.9/24 dev v0: Cannot assign requested address (ipv4: Address not found)",
  );
});

test("neighbours read as `ip neigh` shows them, and are replaced and deleted", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const index = await vethWithAddresses(t, namespace);
  const entry = (address: string, mac: string, state: string) => ({
    index,
    address: ipAddress(address),
    mac,
    state,
  });
  const first = entry("10.0.0.2", "66:00:00:00:00:02", "permanent");
  const sixth = entry("fd00::2", "66:00:00:00:00:06", "permanent");
  await must(
    socket,
    neighbourReplace(first),
    neighbourReplace(sixth),
    neighbourReplace(entry("10.0.0.3", "66:00:00:00:00:03", "noarp")),
    neighbourReplace(entry("10.0.0.4", "66:00:00:00:00:04", "stale")),
    neighbourReplace({ ...first, mac: "66:00:00:00:00:22" }),
  );
  const shown = json(namespace, "ip", "-j", "neigh", "show", "nud", "all", "dev", "v0").map(
    ({ dst, lladdr, state }) => `${dst} ${lladdr} ${String(state).toLowerCase()}`,
  );
  const read = (await socket.neighbours({ index })).map(
    ({ address, mac, state }) => `${formatAddress(address)} ${mac} ${state}`,
  );
  // The kernel adds those of multicast groups when it likes, between the two looks too.
  const lasting = (lines: string[]) => lines.filter((line) => !line.startsWith("ff")).sort();
  assert.deepEqual(lasting(read), lasting(shown));
  assert.ok(read.includes("10.0.0.2 66:00:00:00:00:22 permanent"), read.join("\n"));
  await must(socket, neighbourDelete(first), neighbourDelete(sixth));
  const left = await socket.neighbours({ index, family: 4 });
  assert.deepEqual(left.map(({ address }) => formatAddress(address)).sort(), [
    "10.0.0.3",
    "10.0.0.4",
  ]);
});

test("fdb entries of a vxlan and of a bridge read as `bridge fdb` shows them", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const { index } = await socket.createLink({
    kind: "vxlan",
    name: "vx",
    vxlan: { vni: 7, port: 4789, learning: false },
  });
  const bridge = await socket.createLink({ kind: "bridge", name: "br0", up: true });
  const port = await socket.createLink({ kind: "veth", name: "p", up: true, peer: { name: "q" } });
  await socket.changeLink(port.index, { master: bridge.index });
  const mac = "66:00:00:00:00:02";
  const flood = "00:00:00:00:00:00";
  await must(
    socket,
    fdbReplace({ index, mac, destination: ipv4("10.0.0.2") }),
    fdbReplace({ index, mac, destination: ipv4("10.0.0.3") }),
    fdbAppend({ index, mac: flood, destination: ipv4("10.0.0.2") }),
    fdbAppend({ index, mac: flood, destination: ipv4("10.0.0.3") }),
  );
  const names = new Map((await socket.links()).map((link) => [link.index, link.name]));
  const shown = json(namespace, "bridge", "-j", "fdb", "show").map((entry) =>
    [entry.mac, entry.ifname, entry.dst ?? "-", entry.state, entry.master ?? "-"].join(" "),
  );
  const read = (await socket.fdb()).map((entry) =>
    [
      entry.mac,
      names.get(entry.index),
      entry.destination === undefined ? "-" : formatAddress(entry.destination),
      entry.state,
      entry.master === undefined ? "-" : names.get(entry.master),
    ].join(" "),
  );
  // The bridge's own entries appear once with and once without a VLAN.
  assert.deepEqual([...new Set(read)].sort(), [...new Set(shown)].sort());
  assert.ok(read.includes(`${mac} vx 10.0.0.3 permanent -`), read.join("\n"));
  assert.ok(!read.some((line) => line.startsWith(`${mac} vx 10.0.0.2`)));
  await must(
    socket,
    fdbDelete({ index, mac }),
    fdbDelete({ index, mac: flood, destination: ipv4("10.0.0.2") }),
  );
  assert.deepEqual(
    (await socket.fdb({ index }))
      .filter(({ destination }) => destination !== undefined)
      .map((entry) => `${entry.mac} ${formatAddress(entry.destination!)}`),
    [`${flood} 10.0.0.3`],
  );
});

test("rules are added, read as `ip rule` shows them, and deleted", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const rules: Rule[] = [
    { family: 4, priority: 100, table: 1000, mark: 0x10, mask: 0xf0, protocol: 80 },
    {
      family: 4,
      priority: 101,
      table: 254,
      source: prefix("10.0.0.0/8"),
      destination: prefix("10.1.0.0/16"),
      inputInterface: "lo",
      protocol: 80,
    },
    {
      family: 4,
      priority: 102,
      table: 0,
      action: "blackhole",
      invert: true,
      mark: 1,
      protocol: 80,
    },
    {
      family: 4,
      priority: 103,
      table: 254,
      tos: 0x10,
      userIds: { low: 10, high: 20 },
      ipProtocol: 17,
      sourcePorts: { low: 1000, high: 2000 },
      destinationPorts: { low: 53, high: 53 },
      outputInterface: "lo",
      protocol: 80,
    },
    { family: 4, priority: 104, table: 254, suppressPrefixLength: 0, protocol: 80 },
    { family: 4, priority: 105, table: 254, suppressGroup: 7, tunnelId: 99, protocol: 80 },
    { family: 4, priority: 106, table: 0, action: "goto", goto: 32766, protocol: 80 },
    { family: 4, priority: 107, table: 0, action: "goto", goto: 40000, protocol: 80 },
    { family: 4, priority: 108, table: 0, action: "prohibit", ipProtocol: 6, protocol: 80 },
  ];
  const sixth: Rule = {
    family: 6,
    priority: 100,
    table: 99,
    source: prefix("fd00::/8"),
    protocol: 80,
  };
  await must(socket, ...rules.map(ruleAdd), ruleAdd(sixth));
  const strip = ({ mask, ...rule }: Rule) => ({
    mask: mask === 0xffff_ffff ? undefined : mask,
    ...rule,
  });
  const ours = async (family: 4 | 6) =>
    (await socket.rules(family)).filter(({ protocol }) => protocol === 80).map(strip);
  const plain = (rule: Rule) => ({
    mask: undefined,
    ...rule,
    ...(rule.goto === 40000 ? { unresolved: true } : {}),
  });
  assert.deepEqual(await ours(4), rules.map(plain));
  assert.deepEqual(await ours(6), [plain(sixth)]);
  const shown = run(namespace, "ip", "rule", "show")
    .split("\n")
    .filter((line) => line !== "")
    // `proto 80` is what only `ip -d rule` would leave out.
    .map((line) =>
      line
        .replace(/ proto \S+/, "")
        .replace(":\t", " ")
        .trim(),
    );
  const read = (await socket.rules(4)).map((rule) => formatRule(rule).replace("priority ", ""));
  assert.deepEqual(read, shown);
  const [again] = await socket.execute([ruleAdd(rules[0]!)]);
  assert.match(
    again?.message ?? "",
    /^rule add priority 100 from all fwmark 0x10\/0xf0 .*File exists/,
  );
  await must(socket, ...rules.map(ruleDelete), ruleDelete(sixth));
  assert.deepEqual([await ours(4), await ours(6)], [[], []]);
});

test("what the kernel refuses comes back in its own words", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  await socket.createLink({ kind: "bridge", name: "br0" });
  await assert.rejects(socket.createLink({ kind: "bridge", name: "br0" }), {
    code: "NETLINK_REFUSED",
    message: "link add br0 type bridge: File exists",
  });
  await assert.rejects(socket.changeLink(99, { up: true }), {
    message: "link set if99 up: No such device",
  });
  await assert.rejects(
    socket.createLink({
      kind: "vxlan",
      name: "vx",
      vxlan: { vni: 2 ** 24, port: 1, learning: false },
    }),
    {
      message:
        "link add vx type vxlan: Numerical result out of range (IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID: VXLAN ID must be lower than 16777216)",
    },
  );
  await assert.rejects(socket.createLink({ kind: "bridge", name: "b", mac: "no" }), {
    code: "INVALID_ARGUMENT",
    message: 'not a MAC address: "no"',
  });
});

test("ipip: made where the kernel has the module, refused with its words where not", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const local = ipv4("10.0.0.1");
  const made = await socket
    .createLink({ kind: "ipip", name: "ipip9", ipip: { local, ttl: 64, pathMtuDiscovery: true } })
    .catch((error: Error) => error);
  if (made instanceof Error) {
    assert.equal(
      made.message,
      "link add ipip9 type ipip: Operation not supported (Unknown device type)",
    );
  } else {
    assert.deepEqual(made.ipip, { local, ttl: 64, pathMtuDiscovery: true });
  }
});

test("operations of one socket run in order, and none after close", async (t) => {
  const namespace = freshNamespace(t);
  const socket = openRouteSocket({ namespace });
  const [made, links] = await Promise.all([
    socket.createLink({ kind: "bridge", name: "br0" }),
    socket.links(),
  ]);
  assert.deepEqual(links.at(-1), made);
  const late = socket.links();
  socket.close();
  socket.close();
  await assert.rejects(late, { code: "INVALID_ARGUMENT", message: /closed/ });
});
