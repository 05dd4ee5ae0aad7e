/** Nexthop objects, and routes with all they can carry, as `ip nexthop` and `ip route` show them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ipAddress, ipv4, prefix } from "../../src/lib/index.ts";
import {
  fdbReplace,
  formatNextHop,
  formatRoute,
  type NextHopObject,
  nextHopAdd,
  nextHopDelete,
  nextHopReplace,
  type Route,
  routeAdd,
  routeAppend,
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

/** Lines without the second blank that iproute2 puts before a tunnel. */
const lines = (text: string) =>
  text
    .replaceAll("  encap", " encap")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.trimEnd());

test("nexthop objects read as `ip nexthop` shows them, and routes that name them follow", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const device = await vethWithAddresses(t, namespace);
  const nextHops: NextHopObject[] = [
    { id: 1, gateway: gatewayA, device, protocol: 80 },
    { id: 2, gateway: gatewayB, device, protocol: 12, onlink: true },
    { id: 3, gateway: ipAddress("fd00::2"), device },
    { id: 4, blackhole: true },
    { id: 5, device, family: 6 },
    { id: 6, gateway: ipv4("10.9.9.9"), fdb: true },
    { id: 7, gateway: ipv4("10.9.9.8"), fdb: true },
    { id: 10, group: [{ id: 1 }, { id: 2, weight: 3 }], protocol: 80 },
    { id: 11, group: [{ id: 6 }, { id: 7 }], fdb: true },
    {
      id: 12,
      gateway: gatewayA,
      device,
      encap: { kind: "ip", id: 7, destination: ipv4("10.8.0.1"), ttl: 5 },
    },
  ];
  await must(socket, ...nextHops.map((nextHop) => nextHopAdd(nextHop)));
  const name = (index: number) => (index === device ? "v0" : undefined);
  const read = (await socket.nextHops()).map((nextHop) => formatNextHop(nextHop, name));
  assert.deepEqual(read, lines(run(namespace, "ip", "nexthop", "show")));
  assert.ok(read.includes("id 10 group 1/2,3 proto 80"), read.join("\n"));

  const route: Route = {
    type: "unicast",
    destination: prefix("10.244.2.0/26"),
    protocol: 80,
    nextHopId: 10,
  };
  await must(socket, routeAdd(route));
  const [shown] = await socket.routes({ protocol: 80, family: 4 });
  assert.equal(shown?.nextHopId, 10);
  assert.deepEqual(
    lines(formatRoute(shown!, name)),
    lines(run(namespace, "ip", "route", "show", "10.244.2.0/26")),
  );
  // The group changes under the route, which stays.
  await must(socket, nextHopReplace({ id: 10, group: [{ id: 2 }], protocol: 80 }));
  const found = await socket.lookupRoute(ipv4("10.244.2.1"));
  assert.equal(found.gateway, gatewayB);

  const vxlan = await socket.createLink({
    kind: "vxlan",
    name: "vx",
    vxlan: { vni: 1, port: 4789, learning: false },
  });
  const entry = { index: vxlan.index, mac: "66:00:00:00:00:01", nextHopId: 11 };
  await must(socket, fdbReplace(entry));
  const [read11] = (await socket.fdb({ index: vxlan.index })).filter(
    ({ mac }) => mac === entry.mac,
  );
  assert.equal(read11?.nextHopId, 11);

  const [refused] = await socket.execute([nextHopAdd({ id: 20, group: [{ id: 99 }] })]);
  assert.equal(
    refused?.message,
    "nexthop add id 20 group 99: Invalid argument (Invalid nexthop id)",
  );
  await must(socket, nextHopDelete(10));
  assert.deepEqual(await socket.routes({ protocol: 80, family: 4 }), []);
});

test("routes with metrics, tunnels, tos and refusing types read as `ip route` shows them", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const device = await vethWithAddresses(t, namespace);
  const route = (destination: string, rest: Partial<Route>): Route => ({
    type: "unicast",
    destination: prefix(destination),
    protocol: 80,
    gateway: gatewayA,
    device,
    ...rest,
  });
  const sixth = ipAddress("fd00::2");
  const routes: Route[] = [
    route("10.1.0.0/24", {
      mtu: 1400,
      metrics: {
        locked: ["mtu", "cwnd"],
        window: 1000,
        rttMs: 20,
        rttvarMs: 8,
        ssthresh: 9,
        cwnd: 11,
        advmss: 1300,
        reordering: 4,
        hopLimit: 60,
        initcwnd: 12,
        initrwnd: 13,
        ecn: true,
        rtoMinMs: 250,
        quickack: true,
        congestionControl: "cubic",
        fastOpenNoCookie: true,
      },
    }),
    route("10.2.0.0/24", { encap: { kind: "ip", id: 9, destination: ipv4("10.9.0.1"), ttl: 6 } }),
    route("10.3.0.0/24", { encap: { kind: "ip6", id: 9, destination: sixth as never, ttl: 6 } }),
    route("10.4.0.0/24", { tos: 0x10 }),
    route("10.5.0.0/24", { tos: 0x04, metric: 7 }),
    ...(["throw", "unreachable", "prohibit", "blackhole"] as const).map(
      (type, i): Route => ({
        type,
        destination: prefix(`10.6.${i}.0/24`),
        protocol: 80,
      }),
    ),
    {
      type: "unicast",
      destination: prefix("10.7.0.0/24"),
      protocol: 80,
      nextHops: [
        { gateway: gatewayA, device, encap: { kind: "ip", id: 3, destination: gatewayB } },
        { gateway: gatewayB, device, weight: 2 },
      ],
    },
    route("fd10::/64", {
      gateway: sixth,
      mtu: 1300,
      metrics: { advmss: 1200, locked: ["advmss"] },
    }),
    ...(["throw", "unreachable", "prohibit", "blackhole"] as const).map(
      (type, i): Route => ({
        type,
        destination: prefix(`fd11:${i}::/64`),
        protocol: 80,
      }),
    ),
  ];
  await must(socket, ...routes.map((each) => routeReplace(each)));
  // An IPv6 multipath route is made of several with one key.
  const first = route("fd12::/64", { gateway: sixth });
  await must(socket, routeAdd(first), routeAppend({ ...first, gateway: ipAddress("fd00::3") }));
  const name = (index: number) => (index === device ? "v0" : index === 1 ? "lo" : undefined);
  for (const family of [4, 6] as const) {
    const read = (await socket.routes({ protocol: 80, family })).map((each) =>
      formatRoute(each, name),
    );
    const shown = lines(run(namespace, "ip", `-${family}`, "route", "show", "proto", "80"));
    // `ip` leaves out what its own filter tells.
    assert.deepEqual(read.join("\n").replaceAll(" proto 80", "").split("\n"), shown);
  }
  const read = await socket.routes({ protocol: 80 });
  const [metrics] = read.filter((each) => each.metrics?.window === 1000);
  assert.deepEqual(metrics?.metrics, { ...routes[0]?.metrics });
  assert.deepEqual(read.find((each) => each.encap?.kind === "ip6")?.encap, routes[2]?.encap);
});

test("namespaces have numbers, and links say by them where their other end is", async (t) => {
  const namespace = freshNamespace(t);
  const other = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  assert.equal(await socket.netnsId(other), undefined);
  await socket.setNetnsId(other, 77);
  assert.equal(await socket.netnsId(other), 77);
  await socket.createLink({ kind: "veth", name: "a", peer: { name: "b", namespace: other } });
  assert.equal((await socket.link("a"))?.linkNetnsId, 77);
  const third = freshNamespace(t);
  await socket.setNetnsId(third);
  const id = await socket.netnsId(third);
  assert.deepEqual((await socket.netnsIds()).sort(), [id, 77].sort());
  const shown = lines(run(namespace, "ip", "netns", "list-id"))
    .map((line) => Number(line.split(" ")[1]))
    .sort();
  assert.deepEqual(shown, [id, 77].sort());
  await assert.rejects(socket.setNetnsId(other, 78), {
    code: "NETLINK_REFUSED",
    message: `netns set ${other} 78: File exists (NETNSA_FD: Peer netns already has a nsid assigned)`,
  });
});
