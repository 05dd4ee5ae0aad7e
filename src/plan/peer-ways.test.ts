import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix, ipAddress, ipv4, prefix, prefix4 } from "../lib/index.ts";
import { withPeerWays } from "./peer-ways.ts";
import { plan } from "./plan.ts";
import { renderRoute } from "./render.ts";
import { settings, snapshot } from "./testing/snapshot.ts";
import type { HostRoute, Settings } from "./types.ts";

const peer = ipv4("192.0.2.1");
const gateway = ipv4("172.139.20.9");
const peerGateways = [{ peer, gateway, reason: "reachableBy of BGPPeer tor" }];
const learned = [{ prefix: prefix4("198.51.100.0/24"), nextHop: peer }];

function routes(change: Partial<Settings>, hostRoutes: readonly HostRoute[] = []): string[] {
  const base = snapshot();
  const all = { ...settings, ...change };
  const host = { ...base.host, routes: [...base.host.routes, ...hostRoutes] };
  const input = { settings: all, host: withPeerWays(host, all), learned };
  return plan(snapshot(input)).routes.map(renderRoute);
}

test("a peer behind a gateway of its own has a route, and so have those behind the peer", () => {
  assert.ok(routes({}).includes("198.51.100.0/24 via 172.139.20.1 dev eth0 proto bird"));
  const with_ = routes({ peerGateways });
  assert.ok(with_.includes("192.0.2.1 via 172.139.20.9 dev eth0 proto bird"));
  assert.ok(with_.includes("198.51.100.0/24 via 172.139.20.9 dev eth0 proto bird"));
});

test("a gateway that nothing leads to gives no route", () => {
  const unreachable = {
    peer: ipAddress("2001:db8::1")!,
    gateway: ipAddress("2001:db8::2")!,
    reason: "",
  };
  assert.ok(
    !routes({ peerGateways: [unreachable] }).some((line) => line.startsWith("2001:db8::1")),
  );
});

test("peers do not tell the way to themselves", () => {
  const all = { ...settings, peerGateways };
  const host = withPeerWays(snapshot().host, all);
  const told = [{ prefix: prefix("192.0.2.1/32"), nextHop: ipv4("172.139.20.1") }];
  const lines = plan(snapshot({ settings: all, host, learned: told })).routes.map(renderRoute);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("192.0.2.1")),
    ["192.0.2.1 via 172.139.20.9 dev eth0 proto bird"],
  );
});

test("the network of an ignored interface leads to no next hop; its gateways do", () => {
  const connected: HostRoute = { destination: prefix4("192.0.2.0/24"), device: "docker0" };
  const line = (device: string) => `198.51.100.0/24 via ${device} proto bird`;
  assert.ok(routes({}, [connected]).includes(line("192.0.2.1 dev docker0")));
  for (const glob of ["docker0", "docker*", "d*0"]) {
    const lines = routes({ ignoredInterfaces: ["other", glob] }, [connected]);
    assert.ok(lines.includes(line("172.139.20.1 dev eth0")), glob);
  }
  for (const glob of ["docker", "*1", "ocker*"]) {
    const lines = routes({ ignoredInterfaces: [glob] }, [connected]);
    assert.ok(lines.includes(line("192.0.2.1 dev docker0")), glob);
  }
  const routed = { ...connected, gateway: ipv4("172.139.20.77") };
  const lines = routes({ ignoredInterfaces: ["docker0"] }, [routed]);
  assert.ok(lines.includes(line("172.139.20.77 dev docker0")));
});

test("a host without such settings is as it is", () => {
  const { host } = snapshot();
  assert.equal(withPeerWays(host, settings), host);
  assert.deepEqual(
    withPeerWays(host, { peerGateways }).routes.map(({ destination }) => formatPrefix(destination)),
    ["0.0.0.0/0", "172.139.20.0/24", "192.0.2.1/32"],
  );
});

test("what a pod tells of is reached through it, and its host's end has the address that it dials", () => {
  const pod = ipv4("10.244.1.5");
  const device = "cali0123456789a";
  const localPeers = [
    { address: pod, device, hostAddress: ipv4("169.254.0.179") },
    { address: ipAddress("fd00:244::5")!, device },
  ];
  const all = { ...settings, localPeers };
  const host = withPeerWays(snapshot().host, all);
  const told = [
    { prefix: prefix4("10.123.0.0/26"), nextHop: pod },
    { prefix: prefix("fd00:123::/64"), nextHop: ipAddress("fd00:244::5")! },
  ];
  const made = plan(snapshot({ settings: all, host, learned: told }));
  const lines = made.routes.map(renderRoute);
  assert.ok(lines.includes(`10.123.0.0/26 via 10.244.1.5 dev ${device} proto bird`));
  assert.ok(
    lines.includes(
      `fd00:123::/64 via fd00:244::5 dev ${device} proto bird metric 1024 pref medium`,
    ),
  );
  assert.deepEqual(
    made.addresses.filter((address) => address.device === device),
    [{ device, prefix: prefix("169.254.0.179/32"), protocol: 12 }],
  );
});
