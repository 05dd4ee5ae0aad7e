import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ServiceSettings } from "../../facts/index.ts";
import { formatPrefix, prefix } from "../../lib/index.ts";
import { toldAddresses } from "./advertise.ts";
import { type SliceFacts, serviceFacts, sliceFacts } from "./facts.ts";
import { ServiceIndex } from "./service-index.ts";
import { service, slice } from "./testing.ts";

const settings: ServiceSettings = {
  clusterIPs: [prefix("10.96.0.0/12")],
  externalIPs: [prefix("192.0.2.1/32")],
  loadBalancerIPs: [],
  aggregation: true,
  excluded: false,
  nodeName: "node1",
};

const texts = (index: ServiceIndex) => index.addresses().map(formatPrefix).sort();

test("an address that two services share is told until neither wants it", () => {
  const index = new ServiceIndex(settings);
  const shared = (name: string, clusterIP: string) =>
    serviceFacts(service({ name, clusterIP, clusterIPs: [clusterIP], externalIPs: ["192.0.2.1"] }));
  assert.equal(index.setService("shop/a", shared("a", "10.96.0.1")), true);
  assert.equal(index.setService("shop/b", shared("b", "10.96.0.2")), true);
  assert.deepEqual(texts(index), ["10.96.0.1/32", "10.96.0.2/32", "192.0.2.1/32"]);
  index.setService("shop/a", undefined);
  assert.deepEqual(texts(index), ["10.96.0.2/32", "192.0.2.1/32"]);
  index.setService("shop/b", undefined);
  assert.deepEqual(texts(index), []);
});

test("what changes nothing that is told says so", () => {
  const index = new ServiceIndex(settings);
  const local = serviceFacts(service({ externalTrafficPolicy: "Local" }));
  const at = (...nodes: string[]) => sliceFacts(slice({ nodes }), "node1");
  // The slice first, as it may come.
  assert.equal(index.setSlice("shop/web-1", at("node1")), false);
  assert.equal(index.setService("shop/web", local), true);
  assert.equal(index.setSlice("shop/web-1", at("node1", "node2")), false);
  assert.equal(index.setService("shop/web", local), false);
  assert.equal(index.setSettings({ ...settings, aggregation: false }), false);
  assert.equal(index.setSlice("shop/web-1", at("node2")), true);
  assert.deepEqual(texts(index), []);
});

const names = ["a", "b", "c"] as const;
const addresses = ["10.96.0.1", "10.96.0.2", "192.0.2.1"] as const;
const serviceEvent = fc.record({
  kind: fc.constant("service" as const),
  name: fc.constantFrom(...names),
  facts: fc.option(
    fc.record({
      clusterIPs: fc.subarray([...addresses]),
      externalIPs: fc.subarray([...addresses]),
      externalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
    }),
    { nil: undefined },
  ),
});
const sliceEvent = fc.record({
  kind: fc.constant("slice" as const),
  name: fc.constantFrom("s1", "s2", "s3"),
  facts: fc.option(
    fc.record({
      of: fc.constantFrom(...names),
      nodes: fc.subarray(["node1", "node2"]),
      ready: fc.boolean(),
    }),
    { nil: undefined },
  ),
});
const settingsEvent = fc.record({
  kind: fc.constant("settings" as const),
  aggregation: fc.boolean(),
});

test("after any events the index tells what is told from all that is there", () => {
  const events = fc.array(fc.oneof(serviceEvent, sliceEvent, settingsEvent), { maxLength: 40 });
  fc.assert(
    fc.property(events, (list) => {
      const index = new ServiceIndex(settings);
      const services = new Map<string, ReturnType<typeof serviceFacts>>();
      const slices = new Map<string, SliceFacts | undefined>();
      let now = settings;
      for (const event of list) {
        const before = texts(index);
        let said: boolean;
        if (event.kind === "settings") {
          now = { ...settings, aggregation: event.aggregation };
          said = index.setSettings(now);
        } else if (event.kind === "service") {
          const facts = event.facts && serviceFacts(service({ name: event.name, ...event.facts }));
          services.set(`shop/${event.name}`, facts);
          said = index.setService(`shop/${event.name}`, facts);
        } else {
          const facts =
            event.facts && sliceFacts(slice({ name: event.name, ...event.facts }), "node1");
          slices.set(event.name, facts);
          said = index.setSlice(event.name, facts);
        }
        const expected = new Set<string>();
        for (const [key, facts] of services) {
          if (!facts) continue;
          const own = [...slices.values()].flatMap((one) => (one?.service === key ? [one] : []));
          for (const told of toldAddresses(facts, own, now)) expected.add(formatPrefix(told));
        }
        assert.deepEqual(texts(index), [...expected].sort());
        // One that goes from one service to another may be told of as well.
        if (!said) assert.deepEqual(texts(index), before);
      }
    }),
    { numRuns: 300 },
  );
});

test("changes taken one after the other come to what is told", () => {
  const events = fc.array(
    fc.tuple(fc.oneof(serviceEvent, sliceEvent, settingsEvent), fc.boolean()),
  );
  fc.assert(
    fc.property(events, (list) => {
      const index = new ServiceIndex(settings);
      const told = new Set<string>();
      const take = () => {
        const { add, remove } = index.takeChange();
        for (const one of add.map(formatPrefix)) told.add(one);
        for (const one of remove.map(formatPrefix)) told.delete(one);
      };
      for (const [{ kind, ...event }, takes] of list) {
        if ("aggregation" in event) index.setSettings({ ...settings, ...event });
        else if (event.facts === undefined || "nodes" in event.facts) {
          const facts =
            event.facts && sliceFacts(slice({ name: event.name, ...event.facts }), "node1");
          if (kind === "slice") index.setSlice(event.name, facts);
          else index.setService(`shop/${event.name}`, undefined);
        } else {
          const { name, facts } = event;
          index.setService(`shop/${name}`, serviceFacts(service({ name, ...facts })));
        }
        if (takes) take();
      }
      take();
      assert.deepEqual([...told].sort(), texts(index));
      assert.deepEqual(index.takeChange(), { add: [], remove: [] });
    }),
    { numRuns: 300 },
  );
});
