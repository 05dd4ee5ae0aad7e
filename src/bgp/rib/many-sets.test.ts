/** A peer may send ever new sets of attributes: what no route has any more is not kept by what shares them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ipv4, prefix } from "../../lib/index.ts";
import { compilePolicy } from "../policy/index.ts";
import { keyOfPrefix, type PathAttributes } from "../wire/index.ts";
import { Exporter } from "./export.ts";
import { ExportGroups } from "./export-group.ts";
import type { ExportTarget } from "./export-target.ts";
import { makePath } from "./path.ts";
import { PathCache } from "./path-cache.ts";
import { testSource } from "./testing.ts";

const key = keyOfPrefix(prefix("10.0.0.0/26"));
const identity = { as: 64512, routerId: ipv4("192.0.2.1"), clusterId: ipv4("192.0.2.1") };
const source = testSource(1, { localAddress: ipv4("192.0.2.1") });
const SETS = 1200;

/** Of nearly 64 KiB on the wire, as RFC 8654 lets a message be, unless told. */
function large(number: number, count = 15_000): PathAttributes {
  const communities = new Array<number>(count).fill(number);
  return { origin: "igp", asPath: [], nextHop: ipv4("192.0.2.5"), communities };
}

const target: ExportTarget = {
  ...{ peerType: "ebgp", peerAddress: ipv4("192.0.2.9"), peerRouterId: ipv4("192.0.2.9") },
  ...{ localAddress: ipv4("192.0.2.1"), routeReflectorClient: false, nextHop: "auto" },
  ...{ fourOctetAs: true, extendedNextHop: false, role: undefined, identity },
  ...{ maximumPaths: 1, longLivedStale: "hide", policy: compilePolicy(undefined, "ebgp") },
};

async function stillThere(made: readonly WeakRef<object>[]): Promise<number> {
  await setImmediate();
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return made.filter((reference) => reference.deref() !== undefined).length;
}

describe("of large sets of attributes that came and went", () => {
  for (const pathId of [0, 7]) {
    it(`a session keeps none, with the path identifier ${pathId}`, async () => {
      const cache = new PathCache({ source, identity });
      const made: WeakRef<object>[] = [];
      for (let i = 0; i < SETS; i++) {
        const attributes = large(i);
        assert.equal(cache.get(attributes, pathId), cache.get(attributes, pathId));
        made.push(new WeakRef(attributes));
      }
      const left = await stillThere(made);
      assert.ok(left < 100, `${left} of ${SETS}`);
      assert.ok(cache.get(large(0), pathId));
    });
  }

  for (const [count, sets, most] of [
    [15_000, SETS, 50],
    [3900, 4 * SETS, 2300],
  ] as const) {
    it(`of ${count} communities each, what was told to peers is kept up to a number of bytes`, async () => {
      const exporter = new Exporter(target, new ExportGroups());
      const made: WeakRef<object>[] = [];
      for (let i = 0; i < sets; i++) {
        const attributes = large(i, count);
        const told = exporter.export(key, makePath({ source, attributes, identity }));
        made.push(new WeakRef(told!));
      }
      const left = await stillThere(made);
      assert.ok(left < most, `${left} of ${made.length}`);
    });
  }
});
