/** Hosts that filter by reverse path, as many distributions set them up: the modes change all the same. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { ModeName } from "../../src/lab/index.ts";
import { withNamespace } from "../../src/lib/sys/index.ts";
import { losses, nothingLost, Stage } from "./stage.ts";

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

test("the tour of the five modes between strict hosts loses nothing", {
  skip,
  timeout: 180_000,
}, async () => {
  const tour: ModeName[] = [
    "None",
    "IPIP CrossSubnet",
    "VXLAN Always",
    "VXLAN CrossSubnet",
    "IPIP Always",
  ];
  for (const node of stage.nodeNames) {
    assert.equal(filterOf(node, "lo"), 1, `${node} is strict where nobody changed it`);
    assert.equal(filterOf(node, "default"), 1);
    assert.equal(filterOf(node, "eth0"), 2, "loose where two modes meet");
    assert.equal(filterOf(node, "tunl0"), 2);
  }
  for (const mode of tour) {
    const before = dropped();
    const report = await stage.underTraffic(async () => {
      await stage.patch(mode);
      await stage.settled();
      await stage.narrowed();
    });
    assert.deepEqual([losses(report), dropped()], [nothingLost, before], `to ${mode}`);
    assert.ok(report.total.sent > 1000);
  }
  const pod = stage.lab.pods[0]!;
  assert.equal(filterOf(pod.node, pod.interfaceName), 1, "pods cannot use others' addresses");
});
