/** Object names, as Calico writes them in Kubernetes. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { prefix } from "../lib/index.ts";
import { affinityName, cidrName, cleanHandle, handleName, hostOfAffinity } from "./names.ts";

test("a CIDR as a name", () => {
  const rows = [
    ["10.0.0.0/26", "10-0-0-0-26"],
    ["fd00::/122", "fd00---122"],
    ["fd00:1::40/122", "fd00-1--40-122"],
  ] as const;
  for (const [cidr, name] of rows) assert.equal(cidrName(prefix(cidr)), name);
});

test("an affinity is named by host and CIDR; from 253 characters on it is cut and hashed", () => {
  const cidr = prefix("10.0.0.0/26");
  const suffix = "10-0-0-0-26";
  assert.equal(affinityName("node-1", cidr), `node-1-${suffix}`);
  const longest = "n".repeat(252 - suffix.length - 1);
  assert.equal(affinityName(longest, cidr), `${longest}-${suffix}`);
  const host = `${longest}x`;
  const hash = createHash("sha256").update(`${host}+${suffix}`).digest("hex").slice(0, 11);
  const name = affinityName(host, cidr);
  assert.equal(name, `${host.slice(0, 252 - suffix.length - 13)}-${suffix}-${hash}`);
  assert.equal(name.length, 252);
  assert.notEqual(affinityName(`${longest}y`, cidr), name);
});

test("handles end at a carriage return and are named in lower case", () => {
  assert.equal(cleanHandle("net.abc\r\nmore"), "net.abc");
  assert.equal(cleanHandle("net.abc"), "net.abc");
  assert.equal(handleName("Net.ABC"), "net.abc");
});

test("only host affinities have a host", () => {
  assert.equal(hostOfAffinity("host:a"), "a");
  assert.equal(hostOfAffinity("virtual:load-balancer"), undefined);
  assert.equal(hostOfAffinity(null), undefined);
  assert.equal(hostOfAffinity(undefined), undefined);
});
