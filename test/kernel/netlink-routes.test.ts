/** Routes: text as `ip route`, atomic replacement, refusals in the kernel's words, batches, interruption. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  formatPrefix,
  hasCode,
  type Ipv4,
  ipAddress,
  ipv4,
  prefix,
  prefixFamily,
} from "../../src/lib/index.ts";
import {
  formatRoute,
  normalizeRoute,
  openRouteSocket,
  type Route,
  routeAdd,
  routeDelete,
  routeKey,
  routeReplace,
} from "../../src/netlink/index.ts";
import {
  freshNamespace,
  gatewayA,
  gatewayB,
  must,
  routeSocket,
  run,
  vethWithAddresses,
} from "./netlink-fixture.ts";

async function setUp(t: TestContext) {
  const namespace = freshNamespace(t);
  const device = await vethWithAddresses(t, namespace);
  const socket = routeSocket(t, namespace);
  const tunnel = await socket.createLink({ kind: "ifb", name: "tunl0", up: true });
  const names = new Map((await socket.links()).map((link) => [link.index, link.name]));
  return { namespace, device, socket, tunnel: tunnel.index, linkName: (i: number) => names.get(i) };
}

/** `ip route show` without its trailing blanks. */
function shown(namespace: string, ...filter: readonly string[]): string[] {
  const text = run(namespace, "ip", ...filter);
  return text
    .replace(/ +$/gm, "")
    .split(/\n(?!\t)/)
    .filter((line) => line !== "")
    .sort();
}

test("routes of every shape: our text is that of ip route, and what is read is what was written", async (t) => {
  const { namespace, device, socket, tunnel, linkName } = await setUp(t);
  const unicast = { type: "unicast", protocol: 12, metric: 0, table: 254 } as const;
  const written: Route[] = [
    { ...unicast, type: "blackhole", destination: prefix("10.244.1.0/26") },
    {
      ...unicast,
      destination: prefix("10.244.2.0/26"),
      gateway: ipv4("172.139.20.76"),
      device: tunnel,
      onlink: true,
    },
    { ...unicast, destination: prefix("10.244.1.2/32"), device, protocol: 3 },
    { ...unicast, destination: prefix("10.244.3.0/26"), gateway: gatewayA, device, mtu: 1380 },
    { ...unicast, destination: prefix("10.244.3.0/26"), gateway: gatewayB, device, metric: 1024 },
    { ...unicast, destination: prefix("0.0.0.0/0"), gateway: gatewayA, device, protocol: 4 },
    { ...unicast, destination: prefix("10.7.0.0/16"), device, source: ipv4("10.0.0.1") },
    { ...unicast, type: "unreachable", destination: prefix("10.8.0.0/16"), protocol: 80 },
    { ...unicast, type: "prohibit", destination: prefix("10.9.0.0/16"), protocol: 2 },
    { ...unicast, type: "throw", destination: prefix("10.10.0.0/16") },
    { ...unicast, type: "local", destination: prefix("10.11.0.0/16"), device, table: 255 },
    { ...unicast, destination: prefix("10.12.0.0/16"), device, scope: "host", protocol: 200 },
    { ...unicast, destination: prefix("10.13.0.0/16"), device, table: 1000, protocol: 80 },
    {
      ...unicast,
      destination: prefix("10.14.0.0/16"),
      nextHops: [
        { gateway: gatewayA, device, weight: 1 },
        { gateway: gatewayB, device, weight: 3 },
        { gateway: ipv4("172.139.20.77"), device: tunnel, weight: 1, onlink: true },
      ],
    },
    { ...unicast, destination: prefix("10.15.0.0/16"), gateway: ipAddress("fd00::2"), device },
    { ...unicast, type: "blackhole", destination: prefix("fd10::/122"), protocol: 80 },
    { ...unicast, destination: prefix("fd11::/122"), gateway: ipAddress("fd00::2"), device },
    { ...unicast, destination: prefix("fd12::1/128"), device, metric: 7, mtu: 1400 },
    {
      ...unicast,
      destination: prefix("fd13::/64"),
      nextHops: [
        { gateway: ipAddress("fd00::2"), device, weight: 1 },
        { gateway: ipAddress("fd00::3"), device, weight: 2 },
      ],
    },
    { ...unicast, destination: prefix("::/0"), gateway: ipAddress("fd00::2"), device },
  ];
  await must(socket, ...written.map((route) => routeAdd(route, linkName)));
  const read = await socket.routes({ table: 0 });
  const text = (family: 4 | 6, table: number) =>
    read
      .filter((route) => prefixFamily(route.destination) === family && route.table === table)
      .map((route) => formatRoute(route, linkName).replace(/ table \S+/, ""))
      .sort();
  assert.deepEqual(text(4, 254), shown(namespace, "route", "show"));
  assert.deepEqual(text(6, 254), shown(namespace, "-6", "route", "show"));
  assert.deepEqual(text(4, 255), shown(namespace, "route", "show", "table", "local"));
  assert.deepEqual(text(6, 255), shown(namespace, "-6", "route", "show", "table", "local"));
  assert.deepEqual(
    read.filter(({ table }) => table === 1000).map((route) => formatRoute(route, linkName)),
    ["10.13.0.0/16 dev v0 table 1000 proto 80 scope link"],
  );
  const lines = text(4, 254);
  for (const line of [
    "blackhole 10.244.1.0/26 proto bird",
    "10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink",
    "10.244.1.2 dev v0 scope link",
    "10.244.3.0/26 via 10.0.0.2 dev v0 proto bird mtu 1380",
    "default via 10.0.0.2 dev v0 proto static",
  ]) {
    assert.ok(lines.includes(line), `${line}\nnot in\n${lines.join("\n")}`);
  }
  for (const route of written) {
    const wanted = normalizeRoute(route);
    const key = (each: Route) => `${each.table} ${formatPrefix(each.destination)} ${each.metric}`;
    const found = read.map(normalizeRoute).filter((each) => key(each) === key(wanted));
    assert.deepEqual(found, [wanted]);
  }
  await must(socket, ...written.map((route) => routeDelete(route, linkName)));
  const left = (await socket.routes()).filter(({ protocol }) => protocol !== 2);
  assert.deepEqual(left, []);
});

test("filters by family, table, protocol and device agree with ip route", async (t) => {
  const { namespace, device, socket, tunnel, linkName } = await setUp(t);
  const route = (destination: string, rest: Partial<Route>): Route => ({
    type: "unicast",
    destination: prefix(destination),
    protocol: 12,
    ...rest,
  });
  await must(
    socket,
    routeAdd(route("10.1.0.0/16", { device })),
    routeAdd(route("10.2.0.0/16", { device: tunnel })),
    routeAdd(route("10.3.0.0/16", { device, protocol: 80 })),
    routeAdd(route("10.4.0.0/16", { device, table: 100 })),
    routeAdd(route("10.5.0.0/16", { device, table: 70_000 })),
    routeAdd(
      route("10.6.0.0/16", { nextHops: [{ device: tunnel }, { device, gateway: gatewayA }] }),
    ),
  );
  const text = async (filter: Parameters<typeof socket.routes>[0]) =>
    (await socket.routes(filter))
      .map((each) => formatRoute(each, linkName).replace(/ table \S+/, ""))
      .sort();
  const strip = (lines: string[]) => lines.map((line) => line.replace(/ proto bird/, ""));
  assert.deepEqual(
    strip(await text({ family: 4, protocol: 12 })),
    shown(namespace, "route", "show", "proto", "bird"),
  );
  assert.deepEqual(await text({ table: 100 }), shown(namespace, "route", "show", "table", "100"));
  assert.deepEqual(
    await text({ table: 70_000 }),
    shown(namespace, "route", "show", "table", "70000"),
  );
  const onTunnel = await socket.routes({ family: 4, device: tunnel });
  assert.deepEqual(onTunnel.map((each) => formatPrefix(each.destination)).sort(), [
    "10.2.0.0/16",
    "10.6.0.0/16",
  ]);
  assert.deepEqual(await socket.routes({ table: 4242 }), []);
});

test("replace is one step under the same metric, whoever installed the route", async (t) => {
  const { namespace, device, socket, tunnel, linkName } = await setUp(t);
  const destination = prefix("10.244.2.0/26");
  const states: [Route, string][] = [
    [
      {
        type: "unicast",
        destination,
        protocol: 12,
        gateway: ipv4("172.139.20.76"),
        device: tunnel,
        onlink: true,
      },
      "10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink",
    ],
    [
      { type: "unicast", destination, protocol: 80, gateway: gatewayA, device },
      "10.244.2.0/26 via 10.0.0.2 dev v0 proto 80",
    ],
    [{ type: "blackhole", destination, protocol: 12 }, "blackhole 10.244.2.0/26 proto bird"],
    [
      { type: "unicast", destination, protocol: 3, gateway: gatewayB, device },
      "10.244.2.0/26 via 10.0.0.3 dev v0",
    ],
  ];
  for (const [route, text] of [...states, ...states]) {
    await must(socket, routeReplace(route));
    const rows = shown(namespace, "route", "show", formatPrefix(destination));
    assert.deepEqual(rows, [text]);
    const found = await socket.lookupRoute(ipv4("10.244.2.5"), { entry: true }).catch((e) => e);
    // A blackhole is not answered but refused (EINVAL).
    if (route.type === "unicast") assert.equal(formatRoute(found, linkName), text);
    else assert.equal(found.details.errno, "EINVAL");
  }
  // Another metric is another key: it shadows or is shadowed, and is not replaced.
  await must(socket, routeReplace({ ...states[1]![0], metric: 32 }));
  assert.equal(shown(namespace, "route", "show", formatPrefix(destination)).length, 2);
  const sixth = prefix("fd10::/122");
  await must(
    socket,
    routeReplace({ type: "blackhole", destination: sixth, protocol: 80 }),
    routeReplace({
      type: "unicast",
      destination: sixth,
      protocol: 12,
      gateway: ipAddress("fd00::2"),
      device,
    }),
  );
  assert.deepEqual(shown(namespace, "-6", "route", "show", "fd10::/122"), [
    "fd10::/122 via fd00::2 dev v0 proto bird metric 1024 pref medium",
  ]);
});

test("delete takes the route with that protocol only", async (t) => {
  const { device, socket, linkName } = await setUp(t);
  const route: Route = {
    type: "unicast",
    destination: prefix("10.1.0.0/26"),
    protocol: 12,
    gateway: gatewayA,
    device,
  };
  await must(socket, routeAdd({ ...route, protocol: 4 }));
  const [refused] = await socket.execute([routeDelete(route, linkName)]);
  assert.equal(
    refused?.message,
    "route delete 10.1.0.0/26 via 10.0.0.2 dev v0 proto bird: No such process",
  );
  assert.equal(refused?.details.errno, "ESRCH");
  await must(socket, routeDelete({ ...route, protocol: 4, gateway: gatewayB } as Route));
});

test("refusals are in the kernel's words, each at its own request, and the rest is done", async (t) => {
  const { device, socket, linkName } = await setUp(t);
  const route = (destination: string, rest: Partial<Route> = {}): Route => ({
    type: "unicast",
    destination: prefix(destination),
    protocol: 12,
    device,
    ...rest,
  });
  const results = await socket.execute(
    [
      route("10.1.0.0/16"),
      route("10.2.0.0/16", { gateway: ipv4("11.0.0.1") }),
      route("10.3.0.0/16", { device: 4242 }),
      route("10.4.0.0/16", { source: ipv4("9.9.9.9") }),
      route("10.1.0.0/16"),
      route("10.5.0.0/16"),
    ].map((each) => routeAdd(each, linkName)),
  );
  assert.deepEqual(
    results.map((result) => result?.message),
    [
      undefined,
      "route add 10.2.0.0/16 via 11.0.0.1 dev v0 proto bird: Network is unreachable (Nexthop has invalid gateway)",
      "route add 10.3.0.0/16 dev if4242 proto bird scope link: No such device",
      "route add 10.4.0.0/16 dev v0 proto bird scope link src 9.9.9.9: Invalid argument (Invalid prefsrc address)",
      "route add 10.1.0.0/16 dev v0 proto bird scope link: File exists",
      undefined,
    ],
  );
  assert.ok(results.every((result) => result === undefined || result.code === "NETLINK_REFUSED"));
  assert.equal(results[1]?.details.kernelMessage, "Nexthop has invalid gateway");
  const found = await socket.routes({ protocol: 12 });
  assert.deepEqual(
    found.map((each) => formatPrefix(each.destination)),
    ["10.1.0.0/16", "10.5.0.0/16"],
  );
});

test("lookups answer as `ip route get`", async (t) => {
  const { device, socket, tunnel, linkName } = await setUp(t);
  await must(
    socket,
    routeAdd({
      type: "unicast",
      destination: prefix("10.1.0.0/16"),
      protocol: 12,
      gateway: gatewayA,
      device,
      mtu: 1300,
    }),
    routeAdd({
      type: "unicast",
      destination: prefix("fd10::/64"),
      protocol: 12,
      gateway: ipAddress("fd00::2"),
      device,
    }),
    routeAdd({ type: "unicast", destination: prefix("10.1.1.0/24"), protocol: 12, device: tunnel }),
  );
  const text = async (...of: Parameters<typeof socket.lookupRoute>) =>
    formatRoute(await socket.lookupRoute(...of), linkName);
  assert.equal(await text(ipv4("10.1.0.5")), "10.1.0.5 via 10.0.0.2 dev v0 src 10.0.0.1 mtu 1300");
  assert.match(await text(ipv4("10.1.1.5")), /^10\.1\.1\.5 dev tunl0 /);
  assert.match(await text(ipv4("10.1.1.5"), { device }), /^10\.1\.1\.5 .*dev v0 /);
  assert.equal(
    await text(ipv4("10.1.0.5"), { source: ipv4("10.0.0.1"), entry: true }),
    "10.1.0.0/16 via 10.0.0.2 dev v0 proto bird mtu 1300",
  );
  assert.match(
    await text(ipAddress("fd10::5")),
    /^fd10::5 from :: via fd00::2 dev v0 .*src fd00::1/,
  );
  await assert.rejects(socket.lookupRoute(ipv4("99.0.0.1")), {
    code: "NETLINK_REFUSED",
    message: "route get 99.0.0.1: Network is unreachable",
  });
});

test("20,000 routes: added, replaced with some refusals, read and deleted in batches", async (t) => {
  const { device, socket } = await setUp(t);
  const count = 20_000;
  const route = (i: number, gateway: Ipv4): Route => ({
    type: "unicast",
    destination: { address: (ipv4("20.0.0.0") + i * 64) as Ipv4, length: 26 },
    protocol: 12,
    gateway,
    device,
  });
  const all = Array.from({ length: count }, (_, i) => i);
  let turns = 0;
  const busy = setInterval(() => turns++, 1);
  await must(socket, ...all.map((i) => routeAdd(route(i, gatewayA))));
  clearInterval(busy);
  assert.ok(turns > 10, `the event loop ran ${turns} times`);
  const bad = new Set([0, 7, 9_999, 19_999]);
  const results = await socket.execute(
    all.map((i) => routeReplace(route(i, bad.has(i) ? ipv4("11.0.0.1") : gatewayB))),
  );
  assert.deepEqual(
    all.filter((i) => results[i] !== undefined),
    [...bad],
  );
  const read = await socket.routes({ family: 4, protocol: 12 });
  assert.equal(read.length, count);
  assert.equal(read.filter(({ gateway }) => gateway === gatewayB).length, count - bad.size);
  await must(socket, ...all.map((i) => routeDelete(route(i, gatewayB))));
  // Every request refused at once: 20,000 errors come back, none is lost.
  const refused = await socket.execute(all.map((i) => routeDelete(route(i, gatewayB))));
  assert.equal(refused.filter((error) => error?.details.errno === "ESRCH").length, count);
  assert.deepEqual(await socket.routes({ family: 4, protocol: 12 }), []);
});

test("routes that stay are all read, whatever comes and goes meanwhile", async (t) => {
  const { namespace, device, socket } = await setUp(t);
  const route = (i: number, metric = 0): Route => ({
    type: "unicast",
    destination: { address: (ipv4("20.0.0.0") + i * 256) as Ipv4, length: 24 },
    protocol: 12,
    gateway: gatewayA,
    device,
    metric,
  });
  const count = 20_000;
  await must(socket, ...Array.from({ length: count }, (_, i) => routeAdd(route(i))));
  const writer = routeSocket(t, namespace);
  for (let round = 0; round < 5; round++) {
    const reading = socket.routes({ family: 4, protocol: 12 });
    let finished = false;
    reading.finally(() => {
      finished = true;
    });
    let changes = 0;
    // The dump breathes every 16 datagrams; this runs then.
    for (let i = 1; !finished; i = (i * 7919) % count) {
      await new Promise((resolve) => setImmediate(resolve));
      await writer.execute([
        routeReplace(route(i, 5)),
        routeDelete(route(i, 5)),
        routeReplace({ ...route(i), gateway: gatewayB }),
      ]);
      changes++;
    }
    assert.ok(changes > 1);
    const seen = new Set((await reading).filter(({ metric }) => metric === 0).map(routeKey));
    assert.equal(seen.size, count);
  }
});

test("a dump of links during which links change is an error, and is read again when asked for", async (t) => {
  const namespace = freshNamespace(t);
  const strict = openRouteSocket({ namespace });
  const patient = openRouteSocket({ namespace, dumpRetries: 1 });
  const writer = openRouteSocket({ namespace });
  t.after(() => [strict, patient, writer].forEach((socket) => void socket.close()));
  for (let i = 0; i < 400; i++) {
    await writer.createLink({ kind: "veth", name: `a${i}`, peer: { name: `b${i}` } });
  }
  const whileOneGoes = async (reader: typeof strict, i: number) => {
    const reading = reader.links().catch((error) => error);
    await new Promise((resolve) => setImmediate(resolve));
    const { index } = (await writer.link(`a${i}`))!;
    await writer.deleteLink(index);
    return reading;
  };
  const outcome = await whileOneGoes(strict, 0);
  assert.ok(hasCode(outcome, "NETLINK_DUMP_INTERRUPTED"), `got ${outcome}`);
  assert.equal(outcome.message, "link show: the table changed while it was read");
  assert.equal((await whileOneGoes(patient, 1)).length, 1 + 2 * 398);
  assert.equal((await strict.links()).length, 1 + 2 * 398);
});
