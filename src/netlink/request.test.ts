/** Requests read back by the decoders: what is written is what was meant. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type IpAddress, type Ipv4, ipv4, maskPrefix, type Prefix, prefix } from "../lib/index.ts";
import { addressAdd, addressDelete, addressReplace, decodeAddress } from "./address.ts";
import { decodeFdbEntry, fdbAppend, fdbDelete, fdbReplace } from "./fdb.ts";
import { decodeLink } from "./link.ts";
import { linkAdd, linkDelete, linkSet } from "./link-request.ts";
import { decodeNeighbour, neighbourDelete, neighbourReplace } from "./neighbour.ts";
import { decodeRoute, normalizeRoute, routeKey } from "./route.ts";
import { routeAdd, routeDelete, routeReplace } from "./route-request.ts";
import { decodeRule, ruleAdd, ruleDelete } from "./rule.ts";
import { messageOf, requestMessage } from "./test-messages.ts";
import type { LinkAddress, Neighbour, Route, Rule } from "./types.ts";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const index = fc.integer({ min: 1, max: 0x7fff_ffff });
const address4 = u32 as fc.Arbitrary<IpAddress>;
const address6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }) as fc.Arbitrary<IpAddress>;
const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":"));

/** Without the keys whose value is undefined. */
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;

const family = fc.constantFrom({ address: address4, bits: 32 }, { address: address6, bits: 128 });

function prefixes({ address, bits }: { address: fc.Arbitrary<IpAddress>; bits: number }) {
  const length = fc.integer({ min: 0, max: bits });
  return fc.record({ address, length }, { noNullPrototype: true });
}

const route: fc.Arbitrary<Route> = family.chain((of) =>
  fc
    .record({
      type: fc.constantFrom("unicast" as const, "blackhole" as const, "unreachable" as const),
      destination: prefixes(of),
      table: some(fc.integer({ min: 1, max: 0xffff_ffff })),
      metric: some(u32),
      protocol: fc.integer({ min: 1, max: 255 }),
      scope: some(fc.constantFrom("global", "link", "host")),
      gateway: some(fc.oneof(address4, address6)),
      device: some(index),
      onlink: some(fc.constant(true)),
      source: some(of.address),
      mtu: some(u32),
    })
    .map((each): Route => {
      const { gateway: _g, device: _d, onlink: _o, ...bare } = each;
      return compact(each.type === "unicast" ? each : bare) as Route;
    }),
);

const multipath: fc.Arbitrary<Route> = fc.record({
  type: fc.constant("unicast" as const),
  destination: prefixes({ address: address4, bits: 32 }),
  protocol: fc.integer({ min: 1, max: 255 }),
  nextHops: fc.array(
    fc
      .record({
        gateway: some(fc.oneof(address4, address6)),
        device: index,
        weight: fc.integer({ min: 1, max: 256 }),
        onlink: some(fc.constant(true as const)),
      })
      .map(
        (hop) =>
          compact(hop) as Route["nextHops"] extends readonly (infer H)[] | undefined ? H : never,
      ),
    { minLength: 1, maxLength: 20 },
  ),
});

/** The kernel, not the request, gives IPv6 routes their default metric. */
function asWritten(each: Route): Route {
  const normal = normalizeRoute(each);
  return { ...normal, metric: each.metric ?? 0 };
}

test("routes", () => {
  fc.assert(
    fc.property(fc.oneof(route, multipath), (each) => {
      for (const make of [routeAdd, routeReplace]) {
        const made = make(each);
        assert.equal(made.type, 24);
        assert.deepEqual(decodeRoute(requestMessage(made)), asWritten(each));
      }
    }),
  );
});

test("a route's deletion names table, destination, metric and protocol, and nothing else", () => {
  fc.assert(
    fc.property(route, (each) => {
      const made = routeDelete(each);
      assert.equal(made.type, 25);
      const { table, destination, metric } = asWritten(each);
      assert.deepEqual(decodeRoute(requestMessage(made)), {
        type: "0",
        destination,
        table,
        metric,
        protocol: each.protocol,
        scope: "nowhere",
      });
    }),
  );
});

test("the flags of the verbs", () => {
  const each: Route = { type: "blackhole", destination: prefix("10.0.0.0/8"), protocol: 12 };
  // NLM_F_CREATE is 0x400, EXCL 0x200, REPLACE 0x100, APPEND 0x800.
  const local: LinkAddress = { index: 1, prefix: prefix("10.0.0.1/8"), scope: "global" };
  const entry = { index: 1, mac: "66:00:00:00:00:01" };
  const neighbour: Neighbour = { index: 1, address: ipv4("10.0.0.1"), state: "permanent" };
  const rule: Rule = { family: 4, priority: 1, table: 254 };
  const rows = [
    routeAdd(each),
    routeReplace(each),
    routeDelete(each),
    addressAdd(local),
    addressReplace(local),
    addressDelete(local),
    neighbourReplace(neighbour),
    neighbourDelete(neighbour),
    fdbReplace(entry),
    fdbAppend(entry),
    fdbDelete(entry),
    ruleAdd(rule),
    ruleDelete(rule),
    linkSet(1, { up: true }),
    linkDelete(1),
  ].map(({ type, flags, text }) => `${type} ${flags.toString(16)} ${text}`);
  assert.deepEqual(rows, [
    "24 600 route add blackhole 10.0.0.0/8 proto bird",
    "24 500 route replace blackhole 10.0.0.0/8 proto bird",
    "25 0 route delete blackhole 10.0.0.0/8 proto bird",
    "20 600 address add 10.0.0.1/8 dev if1",
    "20 500 address replace 10.0.0.1/8 dev if1",
    "21 0 address delete 10.0.0.1/8 dev if1",
    "28 500 neigh replace 10.0.0.1 dev if1",
    "29 0 neigh delete 10.0.0.1 dev if1",
    "28 500 fdb replace 66:00:00:00:00:01 dev if1 self",
    "28 c00 fdb append 66:00:00:00:00:01 dev if1 self",
    "29 0 fdb delete 66:00:00:00:00:01 dev if1 self",
    "32 600 rule add priority 1 from all lookup main",
    "33 0 rule delete priority 1 from all lookup main",
    "19 0 link set if1 up",
    "17 0 link delete if1",
  ]);
});

test("addresses", () => {
  const address = family.chain((of) =>
    fc.record({
      index,
      prefix: prefixes(of),
      peer: some(of.address),
      scope: fc.constantFrom("global", "link", "host"),
      label: some(fc.stringMatching(/^[a-z0-9:]{1,15}$/)),
    }),
  );
  fc.assert(
    fc.property(address, (each) => {
      const wanted = compact(each) as LinkAddress;
      const read = decodeAddress(requestMessage(addressReplace(wanted)));
      const { peer, ...rest } = wanted;
      // A peer equal to the address is none.
      const own = peer === undefined || peer === wanted.prefix.address;
      assert.deepEqual(read, own ? rest : wanted);
    }),
  );
});

test("neighbours and fdb entries", () => {
  const each = fc.record({ index, address: fc.oneof(address4, address6), mac });
  fc.assert(
    fc.property(each, (of) => {
      const neighbour: Neighbour = { ...of, state: "permanent" };
      assert.deepEqual(decodeNeighbour(requestMessage(neighbourReplace(neighbour))), neighbour);
      const { address: destination, ...rest } = of;
      assert.deepEqual(decodeFdbEntry(requestMessage(fdbReplace({ ...rest, destination }))), {
        ...rest,
        destination,
        state: "permanent",
        flags: ["self"],
      });
    }),
  );
});

test("rules", () => {
  const masked = (of: Parameters<typeof prefixes>[0]) =>
    // A rule with a /0 has no such selector.
    prefixes(of).map((each): Prefix | undefined =>
      each.length > 0 ? maskPrefix(each) : undefined,
    );
  const rule = fc
    .constantFrom(
      { family: 4 as const, address: address4, bits: 32 },
      { family: 6 as const, address: address6, bits: 128 },
    )
    .chain((of) =>
      fc.record({
        family: fc.constant(of.family),
        priority: u32,
        table: u32,
        source: masked(of),
        destination: masked(of),
        mark: some(u32),
        mask: some(u32),
        invert: some(fc.constant(true)),
        inputInterface: some(fc.stringMatching(/^[a-z0-9]{1,15}$/)),
        outputInterface: some(fc.stringMatching(/^[a-z0-9]{1,15}$/)),
        protocol: some(fc.integer({ min: 0, max: 255 })),
        suppressPrefixLength: some(fc.integer({ min: 0, max: 128 })),
      }),
    );
  fc.assert(
    fc.property(rule, (each) => {
      const wanted = compact(each) as Rule;
      assert.deepEqual(decodeRule(requestMessage(ruleAdd(wanted))), wanted);
    }),
  );
});

test("links", () => {
  const vxlan = { vni: 4096, port: 4789, local: ipv4("10.0.0.1"), device: 3, learning: false };
  const made = linkAdd({
    kind: "vxlan",
    name: "vxlan.calico",
    mac: "66:00:00:00:00:01",
    mtu: 1450,
    up: true,
    vxlan,
  })((request) => request);
  assert.equal(made.text, "link add vxlan.calico type vxlan");
  assert.deepEqual(decodeLink(requestMessage(made)), {
    index: 0,
    name: "vxlan.calico",
    kind: "vxlan",
    mac: "66:00:00:00:00:01",
    mtu: 1450,
    up: true,
    arp: true,
    operState: "UNKNOWN",
    vxlan,
  });
  const ipip = { local: ipv4("10.0.0.1"), ttl: 64, pathMtuDiscovery: true };
  const tunnel = linkAdd({ kind: "ipip", name: "t", mtu: 1480, ipip })((request) => request);
  assert.deepEqual(decodeLink(requestMessage(tunnel)).ipip, ipip);
  const text = linkSet(7, { mtu: 1, mac: "66:00:00:00:00:01", arp: false, master: 9, up: false });
  assert.equal(text.text, "link set if7 address 66:00:00:00:00:01 mtu 1 arp off master if9 down");
});

test("routes with the same key, and only they, have the same routeKey", () => {
  const key = (rest: Partial<Route>) =>
    routeKey({ type: "unicast", destination: prefix("10.0.0.0/8"), protocol: 12, ...rest });
  assert.equal(key({}), key({ table: 254, metric: 0, protocol: 3, type: "blackhole", device: 4 }));
  assert.equal(key({}), key({ destination: prefix("10.9.9.9/8") }));
  assert.equal(
    key({ destination: prefix("::/0") }),
    key({ destination: prefix("::/0"), metric: 1024 }),
  );
  const others = [
    { table: 255 },
    { metric: 1 },
    { destination: prefix("10.0.0.0/9") },
    { destination: prefix("11.0.0.0/8") },
    { type: "local" as const },
  ];
  for (const other of others) assert.notEqual(key({}), key(other));
  const zero = { destination: { address: 0 as Ipv4, length: 0 } };
  assert.notEqual(key(zero), key({ destination: prefix("::/0"), metric: 0 }));
});

test("a message with two attributes of one kind keeps the last", () => {
  const twice = Uint8Array.of(
    ...[2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0],
    ...[8, 0, 4, 0, 1, 0, 0, 0],
    ...[8, 0, 4, 0, 2, 0, 0, 0],
  );
  assert.equal(decodeRoute(messageOf(24, twice)).device, 2);
});
