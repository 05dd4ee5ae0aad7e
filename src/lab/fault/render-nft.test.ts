import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { topologyOf } from "../topology.ts";
import { type Rendering, renderFaults } from "./render-nft.ts";
import type { FaultSpec } from "./spec.ts";

const topology = topologyOf({ nodes: 3 });

/** The rules of one fault, without what every script has. */
function rulesOf(spec: FaultSpec): string[] {
  const script = renderFaults({ topology, faults: [{ id: 7, spec, zone: 7 }], gone: [] });
  return script
    .split("\n")
    .filter((line) => line.startsWith("add rule") && line.endsWith("drop"))
    .map((line) => line.replace(/^add rule (netdev|inet) switchyard-fault /, ""));
}

const drop = 'counter name "fault-7" drop';

describe("renderFaults", () => {
  test("without faults there is no table", () => {
    const script = renderFaults({
      topology,
      faults: [],
      gone: [{ id: 3, spec: { kind: "drop-ipip" } }],
    });
    assert.deepEqual(script.trim().split("\n"), [
      "add table netdev switchyard-fault",
      "delete table netdev switchyard-fault",
      "add table netdev switchyard-fault-detour",
      "delete table netdev switchyard-fault-detour",
      "add table inet switchyard-fault",
      "delete table inet switchyard-fault",
    ]);
  });

  test("what goes anywhere is dropped where it enters, what comes to somebody where it leaves", () => {
    assert.deepEqual(rulesOf({ kind: "drop-ipip", node: "node2" }), [
      `ingress iifname { "node2" } ip protocol 4 ${drop}`,
      `egress oifname { "node2" } ip protocol 4 ${drop}`,
    ]);
    assert.deepEqual(rulesOf({ kind: "cut", node: "node2", oneWay: true }), [
      `ingress iifname { "node2" } ${drop}`,
    ]);
  });

  test("between two members the port of entry is known by its mark", () => {
    assert.deepEqual(rulesOf({ kind: "drop-vxlan", between: ["node3", "br20"] }), [
      `egress oifname { "node1", "node2" } meta mark & 0xff { 0x3 } udp dport 4789 ${drop}`,
      `egress oifname { "node3" } meta mark & 0xff { 0x1, 0x2 } udp dport 4789 ${drop}`,
    ]);
  });

  test("at the router nothing within a subnet is met", () => {
    assert.deepEqual(rulesOf({ kind: "loss", router: true, percent: 2.5 }), [
      `egress oifname { "node3", "outside" } meta mark & 0xff { 0x1, 0x2 } numgen random mod 100000 < 2500 ${drop}`,
      `egress oifname { "node1", "node2", "outside" } meta mark & 0xff { 0x3 } numgen random mod 100000 < 2500 ${drop}`,
      `egress oifname { "node1", "node2", "node3" } meta mark & 0xff { 0x4 } numgen random mod 100000 < 2500 ${drop}`,
    ]);
  });

  test("loss may be of one sort of traffic", () => {
    assert.deepEqual(
      rulesOf({ kind: "loss", node: "node2", oneWay: true, percent: 1, traffic: "pods" }),
      [
        `ingress iifname { "node2" } ip saddr != { 172.139.20.0/24, 172.139.30.0/24, 198.51.100.0/24 } numgen random mod 100000 < 1000 ${drop}`,
        `ingress iifname { "node2" } ip6 saddr != { 2001:db8:20::/64, 2001:db8:30::/64, 2001:db8:100::/64, ::, fe80::/10 } numgen random mod 100000 < 1000 ${drop}`,
      ],
    );
  });

  test("a source check knows each node's own addresses", () => {
    assert.deepEqual(rulesOf({ kind: "source-check", node: "node3", oneWay: true }), [
      `ingress iifname { "node3" } ip saddr != 172.139.30.75 ${drop}`,
      `ingress iifname { "node3" } ip6 saddr != { ::, fe80::/10 } ${drop}`,
    ]);
  });

  test("a stateful filter drops new flows of what it looks at", () => {
    const way = 'transit iifname "br30" oifname "br20" ct state new,invalid,untracked';
    assert.deepEqual(
      rulesOf({ kind: "stateful-filter", between: ["br30", "br20"], traffic: "vxlan" }),
      [`${way} udp dport 4789 ${drop}`],
    );
    assert.equal(rulesOf({ kind: "stateful-filter", between: ["br30", "br20"] }).length, 4);
  });

  test("what may be too large is led aside, measured there, and goes on where it would have gone", () => {
    const spec = {
      kind: "small-mtu",
      mtu: 1400,
      between: ["node1", "br30"],
      oneWay: true,
    } as const;
    const script = renderFaults({ topology, faults: [{ id: 7, spec }], gone: [] });
    const rules = script
      .split("\n")
      .filter((line) => / (egress|back) (oifname|meta|fwd)/.test(line));
    assert.deepEqual(
      rules.map((line) => line.replace(/^add rule netdev switchyard-fault/, "")),
      [
        " egress meta mark & 0x10000 != 0 accept",
        ' egress oifname "node3" meta mark & 0xff { 0x1 } meta length > 1400 meta mark set meta mark | 0x300',
        ' egress meta mark & 0xff00 != 0 fwd to "fault-in"',
        `-detour back meta mark & 0xff { 0x1 } meta mark & 0xff00 { 0x300 } meta length > 1400 ${drop}`,
        "-detour back meta mark set meta mark | 0x10000",
        '-detour back fwd to meta mark & 0xff00 map { 0x100 : "node1", 0x200 : "node2", 0x300 : "node3", 0x400 : "outside" }',
      ],
    );
  });

  test("what is late goes to a tap for each port, and from there to the port", () => {
    const spec = { kind: "delay", delayMs: 20, between: ["node3", "br20"] } as const;
    const fault = { id: 7, spec };
    const lines = (rendering: Pick<Rendering, "faults" | "gone" | "draining">) =>
      renderFaults({ topology, ...rendering })
        .split("\n")
        .filter((line) => /late/.test(line))
        .map((line) => line.replaceAll(" netdev switchyard-fault-detour", ""));
    const back = [
      'add rule back meta mark & 0xff { 0x3 } meta mark & 0xff00 { 0x100 } fwd to "late7-1"',
      'add rule back meta mark & 0xff { 0x3 } meta mark & 0xff00 { 0x200 } fwd to "late7-2"',
      'add rule back meta mark & 0xff { 0x1, 0x2 } meta mark & 0xff00 { 0x300 } fwd to "late7-3"',
    ];
    const chain = [
      'add chain late-7 { type filter hook ingress devices = { "late7-1", "late7-2", "late7-3" } priority 0; }',
      "flush chain late-7",
    ];
    const rules = [
      "add rule late-7 meta mark set 0x10000",
      'add rule late-7 fwd to iifname map { "late7-1" : "node1", "late7-2" : "node2", "late7-3" : "node3" }',
    ];
    assert.deepEqual(lines({ faults: [fault], gone: [] }), [...back, ...chain, ...rules]);
    assert.deepEqual(lines({ faults: [], gone: [], draining: [fault] }), [...chain, ...rules]);
    const other = { id: 8, spec: { kind: "bad-checksum" as const } };
    assert.deepEqual(lines({ faults: [other], gone: [fault] }), [...chain, "delete chain late-7"]);
  });

  test("the router's own MTU needs no rules", () => {
    assert.deepEqual(rulesOf({ kind: "small-mtu", mtu: 1400, router: true }), []);
  });

  test("chains stay, rules are exchanged, counters of what has gone are deleted", () => {
    const faults = [{ id: 2, spec: { kind: "drop-ipip" as const } }];
    const lines = renderFaults({
      topology,
      faults,
      gone: [{ id: 1, spec: { kind: "cut" } }],
    }).split("\n");
    assert.ok(!lines.includes("delete table netdev switchyard-fault"));
    for (const line of [
      "flush chain netdev switchyard-fault ingress",
      "flush chain netdev switchyard-fault egress",
      "add counter netdev switchyard-fault fault-2",
      "delete counter netdev switchyard-fault fault-1",
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });
});
