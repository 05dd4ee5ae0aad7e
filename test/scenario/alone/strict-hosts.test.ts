/** Hosts that filter by reverse path, as many distributions set them up: the modes change all the same. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { withNamespace } from "../../../src/lib/sys/index.ts";
import { type ModeName, modeNames } from "../../../src/model/index.ts";
import { losses, nothingLost, Stage } from "../stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("strict", { rpFilter: "strict", podsPerNode: 1 });
});
after(async () => {
  await stage?.close();
});

/** What the kernel really does on a device: the larger of its own setting and that of all. */
function filterOf(node: string, device: string): number {
  const namespace = stage.lab.nodes.find(({ name }) => name === node)!.namespace;
  const read = (name: string) =>
    Number(readFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, "utf8"));
  return withNamespace(namespace, () => Math.max(read("all"), read(device)));
}

/** Packets that the filter has dropped, by node (IPReversePathFilter of /proc/net/netstat). */
function dropped(): Record<string, number> {
  return Object.fromEntries(
    stage.lab.nodes.map(({ name, namespace }) => {
      const text = withNamespace(namespace, () =>
        readFileSync("/proc/thread-self/net/netstat", "utf8"),
      );
      const [names, values] = text
        .split("\n")
        .filter((line) => line.startsWith("TcpExt:"))
        .map((line) => line.split(" "));
      return [name, Number(values?.[names?.indexOf("IPReversePathFilter") ?? -1])];
    }),
  );
}

/**
 * Every mode from every other: with a prime number of modes, going on by 1, then by 2, 3 and 4 visits all
 * ordered pairs and comes back each time.
 */
function* everyPair(modes: readonly ModeName[]): Generator<readonly [ModeName, ModeName]> {
  const at = (index: number) => modes[index % modes.length]!;
  for (let stride = 1; stride < modes.length; stride++) {
    for (let step = 0; step < modes.length; step++)
      yield [at(step * stride), at((step + 1) * stride)];
  }
}

test("each of the 20 changes between two modes, between strict hosts, loses nothing", {
  skip,
  timeout: 300_000,
}, async (t) => {
  const pairs = [...everyPair(modeNames)];
  assert.equal(new Set(pairs.map(String)).size, 20);
  assert.equal(pairs[0]?.[0], "ipip", "the lab begins with it");
  for (const node of stage.nodeNames) {
    assert.equal(filterOf(node, "lo"), 1, `${node} is strict where nobody changed it`);
    assert.equal(filterOf(node, "default"), 1);
    assert.equal(filterOf(node, "eth0"), 2, "loose where two modes meet");
    assert.equal(filterOf(node, "tunl0"), 2);
  }
  const stalls: number[] = [];
  let sent = 0;
  for (const [from, to] of pairs) {
    const before = dropped();
    const report = await stage.underTraffic(
      async () => {
        await stage.patch(to);
        await stage.settled();
        await stage.narrowed();
      },
      { probesPerSecond: 5000 },
    );
    assert.deepEqual([losses(report), dropped()], [nothingLost, before], `${from} to ${to}`);
    sent += report.total.sent;
    stalls.push(Math.round(report.stream?.longestStallMs ?? Number.POSITIVE_INFINITY));
  }
  assert.ok(sent > 20 * 2000, `only ${sent} probes`);
  // A lost segment would be sent again after 200 ms at the earliest (TCP_RTO_MIN).
  assert.ok(Math.max(...stalls) < 200, `the TCP stream stood still: ${stalls.join(" ")} ms`);
  t.diagnostic(`${sent} probes, 0 lost; longest stalls of the TCP stream: ${stalls.join(" ")} ms`);
  const pod = stage.lab.pods[0]!;
  assert.equal(filterOf(pod.node, pod.interfaceName), 1, "pods cannot use others' addresses");
});
