/** Properties of what the tables write: read back it is the same, and every attribute has its name. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasCode, type IpAddress, ipv4, maskPrefix, type Prefix } from "../lib/index.ts";
import { refusal } from "./kernel-error.ts";
import { decodeLink } from "./link.ts";
import { linkAdd, linkSet } from "./link-request.ts";
import { HEADER_BYTES } from "./message.ts";
import { decodeNextHopObject, nextHopReplace } from "./next-hop-object.ts";
import { decodeAnyRoute, decodeRoute, normalizeRoute } from "./route.ts";
import { routeAppend, routeReplace } from "./route-request.ts";
import { decodeRule, ruleAdd } from "./rule.ts";
import { requestMessage } from "./test-messages.ts";
import type {
  LinkSpec,
  NextHopObject,
  Request,
  Route,
  RouteEncap,
  RouteMetrics,
  Rule,
  VxlanAttributes,
} from "./types.ts";

const byte = fc.integer({ min: 0, max: 255 });
const positiveByte = fc.integer({ min: 2, max: 255 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const positive = fc.integer({ min: 1, max: 0x7fff_ffff });
const key = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const address4 = fc.integer({ min: 1, max: 0xffff_ffff }) as unknown as fc.Arbitrary<IpAddress>;
const address6 = fc.bigInt({
  min: 1n,
  max: (1n << 128n) - 1n,
}) as unknown as fc.Arbitrary<IpAddress>;
const either = fc.oneof(address4, address6);
const on = fc.constant(true as const);
const word = fc.stringMatching(/^[a-z0-9]{1,15}$/);
const range = (number: fc.Arbitrary<number>) =>
  fc.tuple(number, number).map(([low, high]) => ({ low, high }));

/** Some of the keys, in a plain object. */
function some<T>(values: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(values, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>;
}

const vxlan: fc.Arbitrary<VxlanAttributes> = fc
  .tuple(
    fc.record({ vni: u32, port: u16, learning: fc.boolean() }, { noNullPrototype: true }),
    some<VxlanAttributes>({
      vni: u32,
      port: u16,
      learning: fc.boolean(),
      local: either,
      group: either,
      device: positive,
      ttl: fc.oneof(fc.constantFrom("auto" as const, "inherit" as const), positiveByte),
      tos: fc.oneof(fc.constant("inherit" as const), positiveByte),
      flowLabel: u32,
      df: fc.constantFrom("unset" as const, "set" as const, "inherit" as const),
      ageingSeconds: u32,
      limit: u32,
      portRange: range(u16),
      proxy: fc.boolean(),
      rsc: fc.boolean(),
      l2miss: fc.boolean(),
      l3miss: fc.boolean(),
      udpChecksum: fc.boolean(),
      udpZeroChecksum6Tx: fc.boolean(),
      udpZeroChecksum6Rx: fc.boolean(),
      remoteChecksumTx: fc.boolean(),
      remoteChecksumRx: fc.boolean(),
      remoteChecksumNoPartial: on,
      gbp: on,
      gpe: on,
      external: fc.boolean(),
      vniFilter: fc.boolean(),
      localBypass: fc.boolean(),
    }),
  )
  .map(([must, may]) => ({ ...may, ...must }));

const made = (spec: LinkSpec): Request => linkAdd(spec)((request) => request);
const base = { name: "x", mtu: 1400 };

test("vxlan devices", () => {
  fc.assert(
    fc.property(vxlan, (each) => {
      const request = made({ ...base, kind: "vxlan", vxlan: each });
      assert.deepEqual(decodeLink(requestMessage(request)).vxlan, each);
    }),
  );
});

const bridge = some({
  forwardDelayCentiseconds: u32,
  helloTimeCentiseconds: u32,
  maxAgeCentiseconds: u32,
  ageingTimeCentiseconds: u32,
  stpState: u32,
  priority: u16,
  vlanFiltering: fc.boolean(),
  vlanProtocol: fc.constantFrom(0x8100, 0x88a8),
  groupForwardMask: u16,
  multicastRouter: byte,
  multicastSnooping: fc.boolean(),
  multicastQuerier: fc.boolean(),
  nfCallIptables: fc.boolean(),
  nfCallIp6tables: fc.boolean(),
  nfCallArptables: fc.boolean(),
  vlanDefaultPvid: u16,
  vlanStatistics: fc.boolean(),
});

const port = some({
  state: fc.constantFrom("disabled", "listening", "learning", "forwarding", "blocking"),
  priority: u16,
  cost: u32,
  hairpin: fc.boolean(),
  guard: fc.boolean(),
  rootBlock: fc.boolean(),
  fastLeave: fc.boolean(),
  learning: fc.boolean(),
  flood: fc.boolean(),
  proxyArp: fc.boolean(),
  multicastRouter: byte,
  multicastFlood: fc.boolean(),
  broadcastFlood: fc.boolean(),
  groupForwardMask: u16,
  neighbourSuppress: fc.boolean(),
  isolated: fc.boolean(),
  locked: fc.boolean(),
});

test("bridges, their ports, and macvlan devices", () => {
  const mode = fc.constantFrom("private", "vepa", "bridge", "passthru", "source");
  fc.assert(
    fc.property(bridge, port, mode, (ofBridge, ofPort, ofMacvlan) => {
      const request = made({ ...base, kind: "bridge", bridge: ofBridge });
      assert.deepEqual(decodeLink(requestMessage(request)).bridge, ofBridge);
      const change = linkSet(7, { name: "x", mtu: 9, bridgePort: ofPort });
      assert.deepEqual(decodeLink(requestMessage(change)).bridgePort, ofPort);
      const macvlan = { mode: ofMacvlan as "vepa" };
      const third = made({ ...base, kind: "macvlan", link: 3, macvlan });
      const read = decodeLink(requestMessage(third));
      assert.deepEqual([read.macvlan, read.link], [macvlan, 3]);
    }),
  );
});

const tunnel = { id: key, ttl: positiveByte, tos: positiveByte, flags: fc.constantFrom(1, 4, 8) };

const encap = fc.oneof(
  some({ ...tunnel, destination: address4, source: address4 }).map((each) => ({
    kind: "ip",
    ...each,
  })),
  some({ ...tunnel, destination: address6, source: address6 }).map((each) => ({
    kind: "ip6",
    ...each,
  })),
  fc
    .array(fc.integer({ min: 0, max: 0xf_ffff }), { minLength: 1, maxLength: 4 })
    .map((labels) => ({ kind: "mpls", labels })),
  some({ in: some({ fd: u32, name: word }), xmit: some({ name: word }), headroomBytes: u32 }).map(
    (each) => ({ kind: "bpf", ...each }),
  ),
  fc
    .uint8Array({ maxLength: 40 })
    .map((data) => ({ kind: "other", type: 9, data: Uint8Array.from(data) })),
) as fc.Arbitrary<RouteEncap>;

const metrics: fc.Arbitrary<Partial<RouteMetrics>> = some<RouteMetrics>({
  locked: fc.subarray(["mtu", "window", "cwnd", "hopLimit"], { minLength: 1 }),
  window: u32,
  rttMs: fc.integer({ min: 0, max: 1 << 20 }),
  rttvarMs: fc.integer({ min: 0, max: 1 << 20 }),
  ssthresh: u32,
  cwnd: u32,
  advmss: u32,
  reordering: u32,
  hopLimit: u32,
  initcwnd: u32,
  initrwnd: u32,
  ecn: on,
  rtoMinMs: u32,
  quickack: fc.boolean(),
  congestionControl: word,
  fastOpenNoCookie: fc.boolean(),
});

function prefixOf(address: fc.Arbitrary<IpAddress>, bits: number): fc.Arbitrary<Prefix> {
  const length = fc.integer({ min: 1, max: bits });
  return fc
    .tuple(address, length)
    .map(([of, long]) => maskPrefix({ address: of, length: long } as Prefix));
}

const route: fc.Arbitrary<Route> = fc
  .constantFrom({ address: address4, bits: 32 }, { address: address6, bits: 128 })
  .chain(({ address, bits }) =>
    fc
      .tuple(
        fc.record({
          destination: prefixOf(address, bits),
          protocol: byte,
          type: fc.constantFrom("unicast", "throw", "unreachable", "prohibit"),
        }),
        some({
          table: positive,
          metric: positive,
          tos: positiveByte,
          from: prefixOf(address, bits),
          gateway: either,
          device: positive,
          source: address,
          mtu: u32,
          metrics: metrics.filter((each) => Object.keys(each).length > 0),
          encap,
        }),
      )
      .map(([must, may]) => ({ ...may, ...must }) as Route),
  );

test("routes with all they can carry, by the short way and by the table", () => {
  fc.assert(
    fc.property(route, (each) => {
      for (const make of [routeReplace, routeAppend]) {
        const message = requestMessage(make(each));
        const read = decodeRoute(message);
        assert.deepEqual(normalizeRoute(read), normalizeRoute(each));
        assert.deepEqual(decodeAnyRoute(message), read);
      }
    }),
  );
  const named: Route = {
    type: "unicast",
    destination: maskPrefix({ address: ipv4("10.0.0.0"), length: 8 }),
    protocol: 80,
    nextHopId: 7,
  };
  assert.equal(decodeRoute(requestMessage(routeReplace(named))).nextHopId, 7);
});

test("nexthop objects", () => {
  const member = fc.record(
    { id: positive, weight: fc.integer({ min: 1, max: 0x1_0000 }) },
    { noNullPrototype: true },
  );
  const single = some({
    gateway: either,
    device: positive,
    encap,
    onlink: on,
    protocol: positiveByte,
  });
  const group = fc.array(member, { minLength: 1, maxLength: 9 }).map((group) => ({ group }));
  const resilient = some({
    buckets: u16,
    idleTimerCentiseconds: u32,
    unbalancedTimerCentiseconds: u32,
  });
  const held = fc.oneof(
    single,
    group,
    fc.tuple(group, resilient).map(([of, kept]) => ({ ...of, resilient: kept })),
    fc.constant({ blackhole: true as const }),
  ) as fc.Arbitrary<NextHopObject>;
  fc.assert(
    fc.property(held, positive, (each, id) => {
      const nextHop = { ...each, id };
      const {
        family: _f,
        scope: _s,
        ...read
      } = decodeNextHopObject(requestMessage(nextHopReplace(nextHop)));
      assert.deepEqual(read, nextHop);
    }),
  );
});

test("rules with every selector", () => {
  const rule = some<Rule>({
    tos: positiveByte,
    mark: u32,
    mask: u32,
    invert: on,
    inputInterface: word,
    outputInterface: word,
    userIds: range(u32),
    ipProtocol: byte,
    sourcePorts: range(u16),
    destinationPorts: range(u16),
    tunnelId: key,
    suppressPrefixLength: fc.integer({ min: 0, max: 128 }),
    suppressGroup: positive,
    protocol: byte,
  } as { [K in keyof Rule]: fc.Arbitrary<Rule[K]> });
  fc.assert(
    fc.property(rule, u32, u32, (each, priority, table) => {
      const wanted: Rule = { ...each, family: 4, priority, table };
      assert.deepEqual(decodeRule(requestMessage(ruleAdd(wanted))), wanted);
    }),
  );
  const jump: Rule = { family: 6, priority: 1, table: 0, action: "goto", goto: 9 };
  assert.deepEqual(decodeRule(requestMessage(ruleAdd(jump))), jump);
});

test("every place of a request the kernel may point at has a name, or none; never an error", () => {
  const requests = fc.oneof(
    route.map((each) => routeReplace(each)),
    vxlan.map((each) => made({ ...base, kind: "vxlan", vxlan: each })),
    port.map((each) => linkSet(7, { bridgePort: each })),
  );
  const numbers = fc.record({
    errno: fc.constant(22),
    offset: fc.option(fc.nat({ max: 400 }), { nil: undefined }),
    missingType: fc.option(fc.nat({ max: 40 }), { nil: undefined }),
    missingNest: fc.option(fc.nat({ max: 400 }), { nil: undefined }),
  });
  const property = fc.property(requests, numbers, (request, answer) => {
    const error = refusal(request, answer);
    assert.ok(hasCode(error, "NETLINK_REFUSED"));
    const { attribute } = error.details;
    if (attribute !== undefined) assert.match(String(attribute), /^[A-Z][A-Z0-9_#.]+$/);
  });
  fc.assert(property, { numRuns: 1000 });
});

test("the attribute a refusal is about is named by its path, and a missing one by where it belongs", () => {
  const request = made({
    ...base,
    kind: "vxlan",
    vxlan: { vni: 1, port: 4789, learning: false },
  });
  const offsetOf = (type: number, length: number) => {
    const { payload } = request;
    const view = new DataView(payload.buffer, payload.byteOffset);
    for (let at = 16; at < payload.length; at += 4) {
      if (view.getUint32(at, true) === (length | (type << 16))) return HEADER_BYTES + at;
    }
    throw new Error("no such attribute");
  };
  const port = refusal(request, { errno: 22, message: "bad", offset: offsetOf(15, 6) });
  assert.equal(
    port.message,
    "link add x type vxlan: Invalid argument (IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_PORT: bad)",
  );
  const mtu = refusal(request, { errno: 22, offset: offsetOf(4, 8) });
  assert.equal(mtu.message, "link add x type vxlan: Invalid argument (IFLA_MTU)");
  const data = offsetOf(2, 4 + 8 + 8 + 8);
  const missing = refusal(request, { errno: 22, missingType: 1, missingNest: data });
  assert.equal(missing.details.attribute, "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID");
  assert.match(missing.message, /\.IFLA_VXLAN_ID is missing\)$/);
  const top = refusal(request, { errno: 22, missingType: 3 });
  assert.match(top.message, /\(IFLA_IFNAME is missing\)$/);
  const multipath = routeReplace({
    type: "unicast",
    destination: maskPrefix({ address: ipv4("10.0.0.0"), length: 8 }),
    protocol: 80,
    nextHops: [
      { device: 1, gateway: ipv4("10.0.0.1") },
      { device: 1, gateway: ipv4("10.0.0.2") },
    ],
  });
  const second = multipath.payload.length - 8 + HEADER_BYTES;
  const hop = refusal(multipath, { errno: 101, offset: second });
  assert.equal(hop.details.attribute, "RTA_MULTIPATH.RTA_GATEWAY");
});
