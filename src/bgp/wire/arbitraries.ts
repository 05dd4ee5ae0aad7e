/** Random messages for property tests. */

import fc from "fast-check";
import type { Ipv4, Ipv6 } from "../../lib/index.ts";
import { withoutDuplicates } from "./attributes/communities.ts";
import type { PathAttributes } from "./attributes/types.ts";
import type { Capability } from "./capabilities.ts";
import { capabilityCode } from "./constants.ts";
import type { Open } from "./open.ts";
import { keyOfPrefix, type PrefixKey } from "./prefix-key.ts";

/** Records as literals make them, with Object's prototype, so that deep equality holds. */
const record: typeof fc.record = (model: object, constraints: object = {}) =>
  fc.record(model as never, { ...constraints, noNullPrototype: true }) as never;

const uint32 = fc.nat(0xffffffff);
export const as = fc.integer({ min: 1, max: 0xffffffff });
export const ipv4 = uint32.map((value) => value as Ipv4);
const ipv6 = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => value as Ipv6);
/** What NEXT_HOP may be. */
export const hostIpv4 = fc.integer({ min: 0x01000000, max: 0xdfffffff }).map((v) => v as Ipv4);

export const hostIpv6 = fc
  .bigInt({ min: 1n, max: (0xffn << 120n) - 1n })
  .map((value) => value as Ipv6);

export const key4: fc.Arbitrary<PrefixKey> = record({ address: ipv4, length: fc.nat(32) }).map(
  keyOfPrefix,
);
export const key6: fc.Arbitrary<PrefixKey> = record({ address: ipv6, length: fc.nat(128) }).map(
  keyOfPrefix,
);

const afiSafi = { afi: fc.nat(0xffff), safi: fc.nat(255) };
const known: ReadonlySet<number> = new Set(Object.values(capabilityCode));

const capability: fc.Arbitrary<Capability> = fc.oneof(
  record({ kind: fc.constant("multiprotocol" as const), ...afiSafi }),
  fc.constant({ kind: "route-refresh" as const }),
  fc.constant({ kind: "enhanced-route-refresh" as const }),
  fc.constant({ kind: "extended-message" as const }),
  record({
    kind: fc.constant("graceful-restart" as const),
    restarted: fc.boolean(),
    notification: fc.boolean(),
    restartTimeSeconds: fc.nat(4095),
    families: fc.array(record({ ...afiSafi, forwarding: fc.boolean() }), { maxLength: 5 }),
  }),
  record({
    kind: fc.constant("long-lived-graceful-restart" as const),
    families: fc.array(
      record({ ...afiSafi, forwarding: fc.boolean(), staleTimeSeconds: fc.nat(0xffffff) }),
      { maxLength: 4 },
    ),
  }),
  record({
    kind: fc.constant("extended-next-hop" as const),
    entries: fc.array(
      record({ afi: fc.nat(0xffff), safi: fc.nat(0xffff), nextHopAfi: fc.nat(0xffff) }),
      { maxLength: 4 },
    ),
  }),
  record({
    kind: fc.constant("role" as const),
    role: fc.constantFrom(
      ...(["provider", "rs", "rs-client", "customer", "peer", "unknown"] as const),
    ),
  }),
  record({
    kind: fc.constant("add-path" as const),
    entries: fc.array(
      record({ ...afiSafi, mode: fc.constantFrom(...(["receive", "send", "both"] as const)) }),
      { maxLength: 3 },
    ),
  }),
  record({
    kind: fc.constant("unknown" as const),
    code: fc.nat(255).filter((code) => !known.has(code)),
    data: fc.uint8Array({ maxLength: 60 }),
  }),
);

/** With its 4-octet AS capability last, as the AS needs it. */
export const open: fc.Arbitrary<Open> = record({
  as,
  holdTimeSeconds: fc.nat(65535).filter((seconds) => seconds !== 1 && seconds !== 2),
  routerId: fc.integer({ min: 1, max: 0xffffffff }).map((value) => value as Ipv4),
  capabilities: fc.array(capability, { maxLength: 12 }),
}).map((parts) => ({
  kind: "open" as const,
  ...parts,
  capabilities: [...parts.capabilities, { kind: "four-octet-as" as const, as: parts.as }],
}));

function bytesOf(itemBytes: number): fc.Arbitrary<Uint8Array> {
  return fc
    .integer({ min: 1, max: 8 })
    .chain((items) =>
      fc.uint8Array({ minLength: items * itemBytes, maxLength: items * itemBytes }),
    );
}

const optional = {
  med: uint32,
  localPref: uint32,
  atomicAggregate: fc.constant(true),
  aggregator: record({ as, address: ipv4 }),
  communities: fc.array(uint32, { minLength: 1, maxLength: 80 }),
  originatorId: ipv4,
  clusterList: fc.array(ipv4, { minLength: 1, maxLength: 5 }),
  extendedCommunities: bytesOf(8),
  largeCommunities: bytesOf(12).map((bytes) => withoutDuplicates(bytes, 12)),
  onlyToCustomer: as,
  unknown: fc.array(record({ type: fc.constant(200), value: fc.uint8Array({ maxLength: 300 }) }), {
    minLength: 1,
    maxLength: 1,
  }),
};

const path = fc
  .array(fc.array(as, { minLength: 1, maxLength: 10 }), { maxLength: 2 })
  .map((segments) => segments.map((asns) => ({ kind: "sequence" as const, asns })));

/** Of a route from an internal peer, where every attribute may appear. */
export const attributes: fc.Arbitrary<PathAttributes> = record(
  {
    origin: fc.constantFrom("igp" as const, "egp" as const, "incomplete" as const),
    asPath: path,
    nextHop: hostIpv4,
    ...optional,
  },
  { requiredKeys: ["origin", "asPath", "nextHop"] },
);
