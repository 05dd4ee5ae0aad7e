import assert from "node:assert/strict";
import { test } from "node:test";
import { phaseLine, renderChanges, renderModeChanges, renderModes } from "./tables.ts";

test("the table of changes lines its figures up", () => {
  const row = { from: "ipip", sent: 19000, lost: 0, reordered: 0, maxGapMs: 21 };
  const tcp = { tcpResets: 0, tcpRetransmits: 3 };
  assert.equal(
    renderChanges([
      { ...row, ...tcp, to: "none", convergedMs: 412 },
      { ...row, ...tcp, from: "none", to: "ipip-cross-subnet", convergedMs: 95 },
    ]),
    [
      "from  to                 all moved ms   sent  lost  reordered  longest gap ms  TCP resets  TCP retransmits",
      "----  -----------------  ------------  -----  ----  ---------  --------------  ----------  ---------------",
      "ipip  none                        412  19000     0          0              21           0                3",
      "none  ipip-cross-subnet            95  19000     0          0              21           0                3",
    ].join("\n"),
  );
});

test("the table of modes shows both paths", () => {
  const text = renderModes([
    {
      mode: "vxlan-cross-subnet",
      nextHopDevices: ["eth0", "vxlan.calico"],
      pathMtu: { sameSubnet: 1500, crossSubnet: 1450 },
      rtt: { sameSubnet: { p50Us: 20, p99Us: 30 }, crossSubnet: { p50Us: 25, p99Us: 40 } },
      throughputGbps: { sameSubnet: 17, crossSubnet: 14.5 },
    },
  ]);
  assert.match(
    text,
    /vxlan-cross-subnet {2}eth0 vxlan\.calico {2}1500 \/ 1450 {2}20 \/ 25 +30 \/ 40 {2}17 \/ 14\.5/,
  );
});

test("the table of mode changes says how they ended; a line says how long their phases took", () => {
  const change = {
    ...{ from: "ipip", to: "vxlan", result: "refused", reason: "", durationMs: 9588 },
    phases: [
      { phase: "Planning", durationMs: 138 },
      { phase: "Proving", durationMs: 9450 },
    ],
    ...{ sent: 19000, lost: 0, reordered: 0, maxGapMs: 21, tcpResets: 0, tcpRetransmits: 3 },
  };
  assert.match(renderModeChanges([change]), /ipip {2}vxlan {2}refused {5}9\.6 {2}19000 {5}0 /);
  assert.equal(phaseLine(change), "Planning 0.1 s, Proving 9.5 s");
});
