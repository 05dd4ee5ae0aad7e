import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { topologyOf } from "../topology.ts";
import { describeFault } from "./describe.ts";
import { type FaultFlags, faultOf } from "./flags.ts";
import { renderFaults } from "./render-nft.ts";

describe("faultOf", () => {
  const good: readonly [kind: string, flags: FaultFlags, text: string][] = [
    ["drop-ipip", {}, "drop-ipip everywhere"],
    ["drop-vxlan", { node: "node2" }, "drop-vxlan on the link of node2"],
    ["cut", { node: "node2", oneWay: true }, "cut for what node2 sends"],
    ["source-check", { router: true }, "source-check at the router"],
    [
      "loss",
      { between: ["node1", "br30"], percent: "0.5" },
      "loss of 0.5 % between node1 and br30",
    ],
    ["loss", { percent: "3", traffic: "vxlan" }, "loss of 3 % of vxlan everywhere"],
    ["delay", { router: true, ms: "20" }, "delay of 20 ms at the router"],
    ["cut", { between: ["all", "node3"], oneWay: true }, "cut from all to node3"],
    ["stateful-filter", { between: ["br20", "br30"] }, "stateful-filter from br20 to br30"],
    [
      "stateful-filter",
      { between: ["br30", "br20"], traffic: "pods" },
      "stateful-filter of pods from br30 to br20",
    ],
    ["small-mtu", { router: true, mtu: "1400" }, "small-mtu of 1400 bytes at the router"],
    ["bad-checksum", { node: "node1" }, "bad-checksum on the link of node1"],
    ["strict-rp-filter", {}, "strict-rp-filter on every node"],
    ["strict-rp-filter", { node: "node1" }, "strict-rp-filter on node1"],
  ];
  for (const [kind, flags, text] of good) {
    test(text, () => {
      const spec = faultOf(kind, flags);
      assert.equal(describeFault(spec), text);
      const fault = { id: 1, spec, zone: 1 };
      assert.ok(renderFaults({ topology: topologyOf(), faults: [fault], gone: [] }));
    });
  }

  const bad: readonly [kind: string, flags: FaultFlags, message: RegExp][] = [
    ["drop", {}, /^"drop" is no kind of fault: drop-ipip, /],
    ["loss", {}, /^loss: percent: /],
    ["loss", { percent: "0" }, /^loss: percent: /],
    ["loss", { percent: "many" }, /^--percent takes a number, not "many"$/],
    ["delay", {}, /^delay: delayMs: /],
    ["delay", { ms: "0" }, /^delay: delayMs: /],
    ["small-mtu", {}, /^small-mtu: mtu: /],
    ["small-mtu", { mtu: "1200" }, /^small-mtu: mtu: .*1280/],
    ["small-mtu", { mtu: "1400.5" }, /^small-mtu: mtu: /],
    ["cut", { percent: "5" }, /^cut: .*percent/],
    ["cut", { between: ["node1"] }, /^--between takes two members, not 1$/],
    ["stateful-filter", {}, /^stateful-filter: between: /],
    [
      "stateful-filter",
      { between: ["br20", "br30"], traffic: "bgp" },
      /^stateful-filter: traffic: /,
    ],
  ];
  for (const [kind, flags, message] of bad) {
    test(`refuses ${kind} ${JSON.stringify(flags)}`, () => {
      assert.throws(() => faultOf(kind, flags), { code: "INVALID_ARGUMENT", message });
    });
  }
});
