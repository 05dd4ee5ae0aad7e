/** Network namespaces as `ip netns` keeps them, and running code inside them. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  createNamespace,
  deleteNamespace,
  listNamespaces,
  namespacePath,
  withNamespace,
} from "../../src/lib/sys/index.ts";
import { freshNamespace, json, run } from "./netlink-fixture.ts";

const own = () => readlinkSync("/proc/thread-self/ns/net");
const forwarding = "/proc/sys/net/ipv4/ip_forward";

test("a namespace we make is one ip netns knows, and the other way round", () => {
  const ours = `nlt-${process.pid}-ours`;
  const theirs = `nlt-${process.pid}-theirs`;
  createNamespace(ours);
  execFileSync("ip", ["netns", "add", theirs]);
  const names = JSON.parse(execFileSync("ip", ["-j", "netns", "list"], { encoding: "utf8" }));
  assert.ok(names.some((each: { name: string }) => each.name === ours));
  assert.ok(listNamespaces().includes(theirs));
  execFileSync("ip", ["netns", "delete", ours]);
  deleteNamespace(theirs);
  assert.deepEqual(
    listNamespaces().filter((name) => name === ours || name === theirs),
    [],
  );
  assert.equal(existsSync(namespacePath(theirs)), false);
});

test("lo is down unless asked for", (t) => {
  const name = `nlt-${process.pid}-lo`;
  const down = createNamespace(name);
  t.after(() => deleteNamespace(name));
  assert.equal(json(down, "ip", "-j", "link", "show", "lo")[0]?.operstate, "DOWN");
  const up = freshNamespace(t);
  assert.deepEqual(json(up, "ip", "-j", "link", "show", "lo")[0]?.flags, [
    "LOOPBACK",
    "UP",
    "LOWER_UP",
  ]);
});

test("the body sees the namespace's sysctls and children, and the way back is always taken", (t) => {
  const before = own();
  const path = freshNamespace(t);
  const inside = withNamespace(path, own);
  assert.notEqual(inside, before);
  assert.equal(own(), before);
  const host = readFileSync(forwarding, "utf8");
  withNamespace(path, () => writeFileSync(forwarding, host === "1\n" ? "0" : "1"));
  assert.notEqual(run(path, "cat", forwarding), host);
  assert.equal(readFileSync(forwarding, "utf8"), host);
  const child = withNamespace(path, () => spawnSync("readlink", ["/proc/self/ns/net"]));
  assert.equal(child.stdout.toString().trim(), inside);
  assert.throws(
    () =>
      withNamespace(path, () => {
        throw new RangeError("from inside");
      }),
    RangeError,
  );
  assert.equal(own(), before);
});

test("namespaces nest", (t) => {
  const before = own();
  const a = freshNamespace(t);
  const b = freshNamespace(t);
  const seen = withNamespace(a, () => [own(), withNamespace(b, own), own()]);
  assert.equal(seen[0], seen[2]);
  assert.equal(seen[1], withNamespace(b, own));
  assert.equal(own(), before);
});

test("an asynchronous body is refused", (t) => {
  const path = freshNamespace(t);
  assert.throws(() => withNamespace(path, () => Promise.resolve()), { code: "INVALID_ARGUMENT" });
});

test("errors name the call and the object", (t) => {
  const path = freshNamespace(t);
  const name = path.slice("/run/netns/".length);
  assert.throws(() => createNamespace(name), { code: "RESOURCE_ALREADY_EXISTS" });
  assert.throws(() => deleteNamespace("nlt-none"), { code: "RESOURCE_NOT_FOUND" });
  assert.throws(() => withNamespace("/run/netns/nlt-none", own), {
    code: "SYSTEM_CALL_FAILED",
    message: "open on /run/netns/nlt-none: No such file or directory",
    details: { call: "open", object: "/run/netns/nlt-none", errno: "ENOENT" },
  });
  assert.throws(() => withNamespace("/etc/hostname", own), {
    message: "setns on /etc/hostname: Invalid argument",
  });
  for (const bad of ["", ".", "..", "a/b", "a\0b", "x".repeat(256)]) {
    assert.throws(() => namespacePath(bad), { code: "INVALID_ARGUMENT" });
  }
});

test("a bare file left by a killed creation can be deleted", () => {
  const name = `nlt-${process.pid}-bare`;
  writeFileSync(namespacePath(name), "");
  deleteNamespace(name);
  assert.equal(existsSync(namespacePath(name)), false);
});
