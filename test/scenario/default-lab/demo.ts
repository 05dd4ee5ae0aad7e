/** `npm run demo` as a stranger runs it: it ends well, shows what it promises, and leaves nothing. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { DemoReport } from "../../../src/lab/demo/index.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const directory = mkdtempSync(join(tmpdir(), "switchyard-demo-"));
after(() => rmSync(directory, { recursive: true }));

test("the demo loses nothing, writes its figures and leaves nothing", {
  skip,
  timeout: 480_000,
}, async () => {
  const json = join(directory, "report.json");
  const { code, output } = await run(["demo", "--json", json]);
  assert.equal(code, 0, output);
  for (const shown of [
    /outside sees 172\.139\.20\.75, the address of node1 \(natOutgoing\)/,
    /NAME +CIDR +NAT +IPIPMODE +VXLANMODE +DISABLED +DISABLEBGPEXPORT +SELECTOR +ASSIGNMENTMODE/,
    /^IP-in-IP: (BPF on ifb|kernel module on) tunl0$/m,
    /blackhole 10\.244\.\d+\.\d+\/26 proto bird/,
    /^\$ bin\/switchyard lab fault add drop-vxlan --between br20 br30 --one-way$/m,
    /^verdict FAILED 172\.139\.20\.0\/24 -> 172\.139\.30\.0\/24 .*UDP 4789 \(VXLAN\) is dropped this way/m,
    /^exit code 3\n\n\$ bin\/switchyard lab fault remove 1\nremoved fault 1$/m,
    /^Canary: the canary moves: node/m,
    /^done: Planning [0-9.]+ s, Proving [0-9.]+ s, Widening .* Narrowing [0-9.]+ s$/m,
    /^0 of \d+ probes lost in 5 patches and 2 runs of `mode change`\.$/m,
  ]) {
    assert.match(output, shown);
  }
  const report = JSON.parse(readFileSync(json, "utf8")) as DemoReport;
  assert.deepEqual(
    report.changes.map(({ from, to, lost, tcpResets }) => ({ from, to, lost, tcpResets })),
    [
      { from: "ipip", to: "none", lost: 0, tcpResets: 0 },
      { from: "none", to: "ipip-cross-subnet", lost: 0, tcpResets: 0 },
      { from: "ipip-cross-subnet", to: "vxlan", lost: 0, tcpResets: 0 },
      { from: "vxlan", to: "vxlan-cross-subnet", lost: 0, tcpResets: 0 },
      { from: "vxlan-cross-subnet", to: "ipip", lost: 0, tcpResets: 0 },
    ],
  );
  assert.deepEqual(
    report.modeChanges.map(({ from, to, result, lost, tcpResets }) => {
      return { from, to, result, lost, tcpResets };
    }),
    [
      { from: "ipip", to: "vxlan", result: "refused", lost: 0, tcpResets: 0 },
      { from: "ipip", to: "vxlan", result: "done", lost: 0, tcpResets: 0 },
    ],
  );
  assert.deepEqual(
    report.modeChanges[1]?.phases.map(({ phase }) => phase),
    ["Planning", "Proving", "Widening", "Canary", "Rolling", "Verifying", "Narrowing"],
  );
  for (const change of report.changes) {
    assert.ok(
      change.sent > 1000 && change.convergedMs > 0 && change.maxGapMs > 0,
      JSON.stringify(change),
    );
  }
  assert.deepEqual(
    report.modes.map(({ mode, nextHopDevices, pathMtu }) => ({ mode, nextHopDevices, pathMtu })),
    [
      {
        mode: "ipip",
        nextHopDevices: ["tunl0"],
        pathMtu: { sameSubnet: 1480, crossSubnet: 1480 },
      },
      { mode: "none", nextHopDevices: ["eth0"], pathMtu: { sameSubnet: 1500, crossSubnet: 1500 } },
      {
        mode: "ipip-cross-subnet",
        nextHopDevices: ["eth0", "tunl0"],
        pathMtu: { sameSubnet: 1500, crossSubnet: 1480 },
      },
      {
        mode: "vxlan",
        nextHopDevices: ["vxlan.calico"],
        pathMtu: { sameSubnet: 1450, crossSubnet: 1450 },
      },
      {
        mode: "vxlan-cross-subnet",
        nextHopDevices: ["eth0", "vxlan.calico"],
        pathMtu: { sameSubnet: 1500, crossSubnet: 1450 },
      },
    ],
  );
  for (const { rtt, throughputGbps } of report.modes) {
    for (const path of ["sameSubnet", "crossSubnet"] as const) {
      assert.ok(rtt[path].p50Us > 0 && rtt[path].p99Us >= rtt[path].p50Us);
      assert.ok(throughputGbps[path] > 0);
    }
  }
  assert.deepEqual(
    readdirSync("/run/netns").filter((name) => name.startsWith("sy-")),
    [],
  );
});

function run(args: string[]): Promise<{ code: number; output: string }> {
  const program = new URL("../../../bin/switchyard", import.meta.url).pathname;
  return new Promise((resolve) => {
    execFile(program, args, { maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? 1);
      resolve({ code, output: stdout + stderr });
    });
  });
}
