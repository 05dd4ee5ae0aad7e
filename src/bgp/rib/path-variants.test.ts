/** What import policy makes of paths is shared: routes that are equal by it are one object. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../../lib/index.ts";
import type { PathAttributes } from "../wire/index.ts";
import { makePath, type Path, PathVariants } from "./path.ts";
import { testSource } from "./testing.ts";

const source = testSource(1, {
  peer: "origin",
  peerAddress: ipv4("192.0.2.5"),
  peerRouterId: ipv4("192.0.2.5"),
  localAddress: ipv4("192.0.2.1"),
});
const identity = { as: 64512, routerId: ipv4("192.0.2.1"), clusterId: ipv4("192.0.2.1") };

function path(more: Partial<PathAttributes> = {}): Path {
  const attributes: PathAttributes = {
    origin: "igp",
    asPath: [{ kind: "sequence", asns: [65001] }],
    nextHop: ipv4("192.0.2.5"),
    ...more,
  };
  return makePath({ source, attributes, identity });
}

describe("paths as import policy changes them", () => {
  it("are one object for one path and one rule, and carry what the decision compares", () => {
    const variants = new PathVariants();
    const learned = path();
    const changes = { localPref: 200, prependAsPath: [7, 8] };
    const changed = variants.apply(learned, changes);
    assert.equal(variants.apply(learned, changes), changed);
    const { localPref, asPathLength, neighbourAs } = changed;
    assert.deepEqual([localPref, asPathLength, neighbourAs], [200, 3, 7]);
    assert.equal(changed.source, source);
  });

  it("are the path itself where nothing changes", () => {
    const learned = path({ med: 3 });
    assert.equal(new PathVariants().apply(learned, { med: 3 }), learned);
  });

  it("share attributes that are equal, by whatever path or rule, even of rules before", () => {
    const variants = new PathVariants();
    const { attributes } = variants.apply(path({ med: 1 }), { med: 9 });
    assert.equal(variants.apply(path({ med: 2 }), { med: 9 }).attributes, attributes);
    variants.forgetRules();
    assert.equal(variants.apply(path({ med: 1 }), { med: 9 }).attributes, attributes);
    assert.notEqual(variants.apply(path({ med: 1 }), { med: 8 }).attributes, attributes);
    const elsewhere = path({ med: 1, nextHop: ipv4("192.0.2.6") });
    assert.notEqual(variants.apply(elsewhere, { med: 9 }).attributes, attributes);
  });
});
