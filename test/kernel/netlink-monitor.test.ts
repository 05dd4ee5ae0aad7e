/** The monitor: events of each group, overrun, and its end. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { formatPrefix, prefix } from "../../src/lib/index.ts";
import {
  addressReplace,
  fdbReplace,
  formatRoute,
  type Monitor,
  type NetlinkEvent,
  neighbourReplace,
  openMonitor,
  type Route,
  routeDelete,
  routeReplace,
  ruleAdd,
} from "../../src/netlink/index.ts";
import {
  freshNamespace,
  gatewayA,
  must,
  routeSocket,
  vethWithAddresses,
} from "./netlink-fixture.ts";

/** Events until one satisfies `last`, as text. */
async function collect(monitor: Monitor, last: (event: NetlinkEvent) => boolean) {
  const events: NetlinkEvent[] = [];
  for await (const event of monitor) {
    events.push(event);
    if (last(event)) return events;
  }
  assert.fail("the monitor ended");
}

test("events of every group arrive, in order, from the moment of opening", async (t) => {
  const namespace = freshNamespace(t);
  const index = await vethWithAddresses(t, namespace);
  const socket = routeSocket(t, namespace);
  const monitor = openMonitor({
    namespace,
    groups: ["link", "ipv4-address", "ipv4-route", "ipv4-rule", "neighbour"],
  });
  t.after(() => monitor.close());
  const route: Route = {
    type: "unicast",
    destination: prefix("10.244.2.0/26"),
    protocol: 12,
    gateway: gatewayA,
    device: index,
  };
  const { destination } = route;
  const blackhole: Route = { type: "blackhole", destination, protocol: 80 };
  const vxlan = await socket.createLink({
    kind: "vxlan",
    name: "vx",
    vxlan: { vni: 1, port: 4789, learning: false },
  });
  await must(
    socket,
    addressReplace({ index, prefix: prefix("10.9.0.1/32"), scope: "global" }),
    routeReplace(route),
    routeReplace(blackhole),
    routeDelete(blackhole),
    neighbourReplace({ index, address: gatewayA, mac: "66:00:00:00:00:01", state: "permanent" }),
    fdbReplace({ index: vxlan.index, mac: "66:00:00:00:00:02", destination: gatewayA }),
    ruleAdd({ family: 4, priority: 5, table: 99 }),
  );
  const events = await collect(monitor, (event) => event.kind === "rule");
  const text = events.map((event): string => {
    const sign = event.kind !== "overrun" && event.removed ? "-" : "+";
    switch (event.kind) {
      case "link":
        return `${sign}link ${event.link.name}`;
      case "address":
        return `${sign}address ${formatPrefix(event.address.prefix)}`;
      case "route":
        return `${sign}route ${formatRoute(event.route, () => "v0")}`;
      case "neighbour":
        return `${sign}neighbour ${event.neighbour.mac} ${event.neighbour.state}`;
      case "fdb":
        return `${sign}fdb ${event.entry.mac}`;
      case "rule":
        return `${sign}rule ${event.rule.priority} ${event.rule.table}`;
      default:
        return event.kind;
    }
  });
  assert.deepEqual(
    text.filter((line) => !line.includes("table local")),
    [
      "+link vx",
      "+address 10.9.0.1/32",
      "+route 10.244.2.0/26 via 10.0.0.2 dev v0 proto bird",
      "+route blackhole 10.244.2.0/26 proto 80",
      "-route blackhole 10.244.2.0/26 proto 80",
      "+neighbour 66:00:00:00:00:01 permanent",
      "+fdb 66:00:00:00:00:02",
      "+rule 5 99",
    ],
  );
});

test("a change made while the consumer waits wakes it within the second the agent may take", async (t) => {
  const namespace = freshNamespace(t);
  const index = await vethWithAddresses(t, namespace);
  const socket = routeSocket(t, namespace);
  const monitor = openMonitor({ namespace, groups: ["ipv4-route"] });
  t.after(() => monitor.close());
  const iterator = monitor[Symbol.asyncIterator]();
  const next = iterator.next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const startedMs = performance.now();
  const destination = prefix("10.1.0.0/16");
  await must(socket, routeReplace({ type: "unicast", destination, protocol: 12, device: index }));
  const { value } = await next;
  assert.equal(value?.kind, "route");
  assert.ok(performance.now() - startedMs < 1000);
});

test("a consumer that is too slow is told, and sees what comes afterwards", async (t) => {
  const namespace = freshNamespace(t);
  const device = await vethWithAddresses(t, namespace);
  const socket = routeSocket(t, namespace);
  const monitor = openMonitor({ namespace, groups: ["ipv4-route"], receiveBufferBytes: 4096 });
  t.after(() => monitor.close());
  const route = (third: number): Route => ({
    type: "unicast",
    destination: prefix(`10.1.${third}.0/24`),
    protocol: 12,
    device,
  });
  await must(socket, ...Array.from({ length: 200 }, (_, third) => routeReplace(route(third))));
  const seen = await collect(monitor, ({ kind }) => kind === "overrun");
  assert.ok(seen.length < 200);
  const iterator = monitor[Symbol.asyncIterator]();
  // What was kept in the buffer comes first; the kernel adds again once all of it was taken.
  let found = false;
  for (let tries = 0; tries < 200 && !found; tries++) {
    await must(socket, routeReplace({ ...route(tries), metric: 99 }));
    const { value } = await iterator.next();
    found = value?.kind === "route" && value.route.metric === 99;
  }
  assert.ok(found);
});

test("close ends a waiting iteration at once, and an idle one", async (t) => {
  const namespace = freshNamespace(t);
  const idle = openMonitor({ namespace, groups: ["link"] });
  idle.close();
  idle.close();
  for await (const event of idle) assert.fail(`event ${event.kind} after close`);
  const waiting = openMonitor({ namespace, groups: ["link"] });
  const end = waiting[Symbol.asyncIterator]().next();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const startedMs = performance.now();
  waiting.close();
  assert.deepEqual(await end, { done: true, value: undefined });
  assert.ok(performance.now() - startedMs < 300);
});

test("a process whose monitor was closed ends by itself, and one that calls exit is not held up", async (t) => {
  const namespace = freshNamespace(t);
  const door = new URL("../../src/netlink/index.ts", import.meta.url).href;
  const program = (end: string) => `
    import { openMonitor } from ${JSON.stringify(door)};
    const monitor = openMonitor({ namespace: ${JSON.stringify(namespace)}, groups: ["link"] });
    setTimeout(() => { ${end} }, 50);
    for await (const event of monitor);
  `;
  for (const end of ["monitor.close()", "process.exit(0)"]) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program(end)], {
      stdio: ["ignore", "inherit", "inherit"],
      timeout: 10_000,
    });
    const code = await new Promise((resolve) => child.on("exit", resolve));
    assert.equal(code, 0, end);
  }
});

test("a monitor can leave out the routes that one socket writes, and nothing else", async (t) => {
  const namespace = freshNamespace(t);
  const index = await vethWithAddresses(t, namespace);
  const [own, other] = [routeSocket(t, namespace), routeSocket(t, namespace)];
  const monitor = openMonitor({
    namespace,
    groups: ["ipv4-address", "ipv4-route", "ipv6-route"],
    ignoreRoutesOf: own.port,
  });
  t.after(() => monitor.close());
  const route = (text: string): Route => ({
    type: "blackhole",
    destination: prefix(text),
    protocol: 12,
  });
  await must(
    own,
    routeReplace(route("10.244.1.0/26")),
    routeDelete(route("10.244.1.0/26")),
    routeReplace(route("fd00:244::/122")),
    addressReplace({ index, prefix: prefix("10.9.0.1/32"), scope: "global" }),
  );
  await must(other, routeReplace(route("10.244.2.0/26")), routeReplace(route("fd00:245::/122")));
  assert.equal(await monitor.ready(), true);
  const events = monitor.take(100).flatMap((event) => {
    if (event.kind === "address") return [`address ${formatPrefix(event.address.prefix)}`];
    return event.kind === "route" && event.route.table === 254
      ? [`route ${formatPrefix(event.route.destination)}`]
      : [];
  });
  assert.deepEqual(events, ["address 10.9.0.1/32", "route 10.244.2.0/26", "route fd00:245::/122"]);
  assert.deepEqual(monitor.take(100), [], "all was taken");
  monitor.close();
  assert.equal(await monitor.ready(), false);
});
