/** What the kernel tests of netlink share: own namespaces that are gone afterwards, and iproute2 to compare with. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { TestContext } from "node:test";
import { ipv4, prefix } from "../../src/lib/index.ts";
import { createNamespace, deleteNamespace } from "../../src/lib/sys/index.ts";
import {
  addressReplace,
  openRouteSocket,
  type Request,
  type RouteSocket,
} from "../../src/netlink/index.ts";

let count = 0;

/** A fresh namespace with `lo` up; returns its path. */
export function freshNamespace(t: TestContext): string {
  const name = `nlt-${process.pid}-${count++}`;
  const path = createNamespace(name, { loopback: true });
  t.after(() => deleteNamespace(name));
  return path;
}

export function routeSocket(t: TestContext, namespace: string): RouteSocket {
  const socket = openRouteSocket({ namespace, dumpRetries: 3 });
  t.after(() => socket.close());
  return socket;
}

/** Output of a program run in the namespace. */
export function run(namespace: string, ...command: readonly string[]): string {
  return execFileSync("nsenter", [`--net=${namespace}`, ...command], { encoding: "utf8" });
}

/** What `ip -j` or `bridge -j` print. */
export function json(namespace: string, ...command: readonly string[]): Record<string, unknown>[] {
  return JSON.parse(run(namespace, ...command));
}

/** Executes requests and expects no refusal. */
export async function must(socket: RouteSocket, ...requests: readonly Request[]): Promise<void> {
  const results = await socket.execute(requests);
  assert.deepEqual(
    results.map((result) => result?.message),
    requests.map(() => undefined),
  );
}

/** A veth pair `v0`/`v1`, both up, `v0` with 10.0.0.1/24 and fd00::1/64; the index of `v0`. */
export async function vethWithAddresses(t: TestContext, namespace: string): Promise<number> {
  const setUp = routeSocket(t, namespace);
  const { index } = await setUp.createLink({
    kind: "veth",
    name: "v0",
    up: true,
    peer: { name: "v1", up: true },
  });
  await must(
    setUp,
    addressReplace({ index, prefix: prefix("10.0.0.1/24"), scope: "global" }),
    addressReplace({ index, prefix: prefix("fd00::1/64"), scope: "global", nodad: true }),
  );
  return index;
}

export const gatewayA = ipv4("10.0.0.2");
export const gatewayB = ipv4("10.0.0.3");
