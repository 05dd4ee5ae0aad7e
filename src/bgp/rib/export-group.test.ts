/** What is made once for many peers is what each of them would be told alone. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Ipv4, ipv4, prefix } from "../../lib/index.ts";
import { compilePolicy } from "../policy/index.ts";
import type { PolicyRule } from "../types.ts";
import { keyOfPrefix, type PathAttributes } from "../wire/index.ts";
import { Exporter, Originations } from "./export.ts";
import { ExportGroups } from "./export-group.ts";
import type { ExportTarget, Origination } from "./export-target.ts";
import { makePath, type Path } from "./path.ts";

const key = keyOfPrefix(prefix("10.0.0.0/26"));
const identity = {
  as: 64512,
  routerId: ipv4("192.0.2.1"),
  clusterId: ipv4("192.0.2.200"),
};
const address = fc.integer({ min: 1, max: 4 }).map((last) => ipv4(`192.0.2.${last}`));
const rules: readonly (readonly PolicyRule[] | undefined)[] = [
  undefined,
  [{ action: "reject" }],
  [{ action: "accept", set: { med: 9 } }],
];

const target = fc
  .record({
    peerType: fc.constantFrom("ibgp" as const, "ebgp" as const),
    peerAddress: address,
    peerRouterId: address,
    localAddress: fc.option(address, { nil: undefined }),
    routeReflectorClient: fc.boolean(),
    nextHop: fc.constantFrom("auto" as const, "self" as const, "keep" as const),
    fourOctetAs: fc.boolean(),
    extendedNextHop: fc.boolean(),
    role: fc.constantFrom(undefined, "customer" as const, "provider" as const),
    longLivedStale: fc.constantFrom("tell" as const, "hide" as const, "last-resort" as const),
    rule: fc.nat({ max: rules.length - 1 }),
  })
  .map(({ rule, ...parts }): ExportTarget => {
    const policy = compilePolicy(rules[rule], parts.peerType);
    return { ...parts, identity, maximumPaths: 1, policy };
  });

const learned = fc
  .record({
    peerType: fc.constantFrom("ibgp" as const, "ebgp" as const),
    peerAddress: address,
    peerRouterId: address,
    routeReflectorClient: fc.boolean(),
    nextHop: address,
    originatorId: fc.option(address, { nil: undefined }),
  })
  .map(({ nextHop, originatorId, ...parts }): Path => {
    const source = {
      ...{ peerId: 1, peer: "origin", remoteAs: 65001, role: undefined, localAddress: undefined },
      ...{ ...parts, stale: false },
    };
    const attributes: PathAttributes = {
      ...{ origin: "igp", asPath: [{ kind: "sequence", asns: [65001] }], nextHop },
      ...(originatorId === undefined || parts.peerType === "ebgp" ? {} : { originatorId }),
    };
    return makePath({ source, attributes, identity });
  });

const originations = new Originations();
const originated = fc
  .option(address, { nil: undefined })
  .map((nextHop: Ipv4 | undefined): Origination => {
    return originations.of({ prefix: prefix("10.0.0.0/26"), ...(nextHop && { nextHop }) });
  });

describe("peers that share what they are told", () => {
  it("are told what each would be told alone", () => {
    const routes = fc.array(fc.oneof(learned, originated), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(target, { minLength: 2, maxLength: 6 }), routes, (targets, told) => {
        const groups = new ExportGroups();
        const exporters = targets.map((each) => new Exporter(each, groups));
        for (const route of [...told, ...told]) {
          for (const [index, exporter] of exporters.entries()) {
            const alone = new Exporter(targets[index]!);
            assert.deepEqual(exporter.export(key, route), alone.export(key, route));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are told it by the identical object, which is made once", () => {
    const groups = new ExportGroups();
    const [one] = fc.sample(target, { numRuns: 1, seed: 1 });
    const [path] = fc.sample(learned, { numRuns: 1, seed: 1 });
    const peer = (last: number) => {
      const own = { peerAddress: ipv4(`192.0.2.${last}`), peerRouterId: ipv4(`192.0.2.${last}`) };
      const policy = compilePolicy(undefined, "ebgp");
      const common = { ...one!, peerType: "ebgp" as const, role: undefined, policy };
      return { ...common, localAddress: ipv4("192.0.2.1"), ...own };
    };
    const tellings = [11, 12].map((last) => groups.of(peer(last)).telling(path!, false));
    assert.equal(tellings[0], tellings[1]);
    const outgoing = [11, 12].map((last) => new Exporter(peer(last), groups).export(key, path!));
    assert.ok(outgoing[0]);
    assert.equal(outgoing[0], outgoing[1]);
  });
});
