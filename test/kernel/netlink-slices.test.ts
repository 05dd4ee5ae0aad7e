/** Large tables: read in slices with the event loop running between, written from an iterable. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ipv4, ipv4 } from "../../src/lib/index.ts";
import {
  formatRoute,
  nextHopAdd,
  openMonitor,
  type Route,
  routeReplace,
} from "../../src/netlink/index.ts";
import { freshNamespace, must, routeSocket, vethWithAddresses } from "./netlink-fixture.ts";

const COUNT = 5000;

test("slices are together what routes() reads, and their reader may use the socket meanwhile", async (t) => {
  const namespace = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const device = await vethWithAddresses(t, namespace);
  const route = (i: number): Route => ({
    type: "unicast",
    destination: { address: (ipv4("20.0.0.0") + i * 64) as Ipv4, length: 26 },
    protocol: 80,
    device,
  });
  function* requests() {
    for (let i = 0; i < COUNT; i++) yield routeReplace(route(i));
    yield routeReplace({ ...route(COUNT), device: 4242 });
    yield routeReplace({ ...route(COUNT), scope: "nonsense" });
  }
  const refused: string[] = [];
  const count = await socket.executeEach(requests(), ({ index, error }) => {
    refused.push(`${index} ${error.code}`);
  });
  assert.equal(count, COUNT + 2);
  assert.deepEqual(refused.sort(), [`${COUNT} NETLINK_REFUSED`, `${COUNT + 1} INVALID_ARGUMENT`]);

  const filter = { family: 4, protocol: 80 } as const;
  const whole = await socket.routes(filter);
  const read: Route[] = [];
  let slices = 0;
  let turns = 0;
  const counter = setInterval(() => turns++, 0);
  for await (const slice of socket.routeSlices(filter)) {
    slices++;
    read.push(...slice);
    assert.equal((await socket.link(device))?.name, "v0");
  }
  clearInterval(counter);
  assert.deepEqual(
    read.map((each) => formatRoute(each)),
    whole.map((each) => formatRoute(each)),
  );
  assert.equal(read.length, COUNT);
  assert.ok(slices >= 3, `${slices} slices`);
  assert.ok(turns > 0);
  for await (const slice of socket.routeSlices(filter)) {
    assert.ok(slice.length < COUNT);
    break;
  }
  assert.deepEqual(await Array.fromAsync(socket.routeSlices({ ...filter, table: 4243 })), []);
});

test("nexthop objects and numbers of namespaces are told as they come", async (t) => {
  const namespace = freshNamespace(t);
  const other = freshNamespace(t);
  const socket = routeSocket(t, namespace);
  const monitor = openMonitor({ namespace, groups: ["next-hop", "netns-id"] });
  t.after(() => monitor.close());
  await must(socket, nextHopAdd({ id: 9, blackhole: true }));
  await socket.setNetnsId(other, 3);
  const events: string[] = [];
  for await (const event of monitor) {
    if (event.kind === "next-hop") events.push(`nexthop ${event.nextHop.id} ${event.removed}`);
    if (event.kind === "netns-id") events.push(`netns-id ${event.netnsId} ${event.removed}`);
    if (events.length === 2) break;
  }
  assert.deepEqual(events, ["nexthop 9 false", "netns-id 3 false"]);
});
