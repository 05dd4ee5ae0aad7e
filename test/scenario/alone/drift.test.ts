/**
 * Another hand in a node's kernel: the agent puts back what is ours within a second of what the kernel
 * tells, with the next full compare what it does not tell, and never touches what is not ours.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ModeName } from "../../../src/model/index.ts";
import { breakAndWait, differing, inside, kernelText } from "../node-state.ts";
import { Stage } from "../stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const TOLD_MS = 1000;
/** The full compare comes every 30 s. */
const UNTOLD_MS = 32_000;

/** Others' objects, of kinds that we use ourselves, some where ours are. */
const FOREIGN = `
echo 2 >/proc/sys/net/ipv4/conf/eth0/rp_filter
ip route add 10.244.200.0/26 via 172.139.20.1 proto static
ip route add 192.0.2.0/24 dev eth0 metric 7
nft add table ip calico
nft add chain ip calico filter-cali-INPUT '{ type filter hook input priority 0; }'
nft add rule ip calico filter-cali-INPUT udp dport 4789 accept
ip link add vxlan.other type vxlan id 77 dstport 4790 local 172.139.20.75 dev eth0
ip link set vxlan.other up
ip address add 198.51.100.1/32 dev vxlan.other
ip neighbour add 198.51.100.9 lladdr 02:00:00:00:00:09 dev vxlan.other nud permanent
tc qdisc add dev eth0 clsact 2>/dev/null || true
tc filter add dev eth0 ingress prio 7 protocol ip u32 match u32 0xc6336401 0xffffffff at 16 flowid 1:1
`;

interface Case {
  readonly name: string;
  /** Shell; REMOTE, GATEWAY and PEERMAC stand for a remote block, its next hop and that one's MAC. */
  readonly breach: string;
  readonly limitMs?: number;
}

const anyMode: readonly Case[] = [
  { name: "route deleted", breach: "ip route delete REMOTE" },
  { name: "route altered", breach: "ip route replace REMOTE via 172.139.20.1 proto bird" },
  { name: "route altered by hand", breach: "ip route replace REMOTE via 172.139.20.1" },
  { name: "route made a blackhole", breach: "ip route replace blackhole REMOTE proto bird" },
  { name: "own block's blackhole deleted", breach: "ip route delete blackhole OWN" },
  { name: "route to a pod deleted", breach: "ip route delete POD" },
  { name: "route to a pod altered", breach: "ip route replace POD dev lo proto bird" },
  { name: "stray route of ours", breach: "ip route add 10.244.99.0/26 dev eth0 proto bird" },
  { name: "pod's device down", breach: "ip link set CALI down; ip link set CALI up" },
  { name: "table deleted", breach: "nft delete table ip switchyard" },
  { name: "table flushed", breach: "nft flush table ip switchyard" },
  { name: "rule added", breach: "nft insert rule ip switchyard filter-input tcp dport 9 drop" },
  { name: "set emptied", breach: "nft flush set ip switchyard masq-ipam-pools" },
  { name: "forwarding off", breach: "echo 0 >/proc/sys/net/ipv4/ip_forward" },
  { name: "pod's proxy_arp off", breach: "echo 0 >/proc/sys/net/ipv4/conf/CALI/proxy_arp" },
  { name: "uplink filters strictly", breach: "echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter" },
];

const tunnel = (device: string): readonly Case[] => [
  { name: "device down", breach: `ip link set ${device} down` },
  { name: "device removed", breach: `ip link delete ${device}` },
  { name: "MTU changed", breach: `ip link set ${device} mtu 1300` },
  { name: "address removed", breach: `ip address flush dev ${device}` },
  { name: "address added", breach: `ip address add 203.0.113.5/32 dev ${device}` },
];

const modes: readonly { readonly mode: ModeName; readonly cases: readonly Case[] }[] = [
  {
    mode: "vxlan",
    cases: [
      ...anyMode,
      ...tunnel("vxlan.calico"),
      { name: "MAC changed", breach: "ip link set vxlan.calico address 66:00:00:00:00:99" },
      { name: "neighbour deleted", breach: "ip neighbour delete GATEWAY dev vxlan.calico" },
      {
        name: "neighbour altered",
        breach:
          "ip neighbour replace GATEWAY lladdr 66:00:00:00:00:98 dev vxlan.calico nud permanent",
      },
      {
        name: "stray neighbour",
        breach: "ip neighbour add 10.9.9.9 lladdr 66:00:00:00:00:97 dev vxlan.calico nud permanent",
      },
      { name: "FDB entry deleted", breach: "bridge fdb delete PEERMAC dev vxlan.calico" },
      {
        name: "pod's route_localnet off, which the kernel does not tell",
        breach: "echo 0 >/proc/sys/net/ipv4/conf/CALI/route_localnet",
        limitMs: UNTOLD_MS,
      },
    ],
  },
  {
    mode: "ipip",
    cases: [
      ...tunnel("tunl0"),
      {
        name: "filter of the uplink removed",
        breach: "tc filter delete dev eth0 ingress prio 4010",
      },
      { name: "filter of tunl0 removed", breach: "tc filter delete dev tunl0 egress prio 4010" },
      { name: "qdisc of tunl0 removed", breach: "tc qdisc delete dev tunl0 clsact" },
    ],
  },
];

describe("drift", { skip, timeout: 280_000 }, () => {
  let stage: Stage;
  let node: string;
  let foreign: string[];
  const words = new Map<string, string>();

  before(async () => {
    stage = await Stage.open("drift", { nodes: 2, mode: modes[0]!.mode });
    node = stage.lab.nodes[0]!.namespace;
    const untouched = await kernelText(node);
    inside(node, FOREIGN);
    foreign = differing(untouched, await kernelText(node))
      .filter((line) => line.startsWith("+ ") && !line.includes("/proc/"))
      .map((line) => line.slice(2));
    assert.ok(foreign.length > 10, foreign.join("\n"));
    const pod = stage.lab.pods.find((one) => one.node === "node1")!;
    const vtep = (await stage.store.get("Node", "node2")).spec.ipv4VXLANTunnelAddr!;
    const neighbour = inside(node, `ip neighbour show ${vtep} dev vxlan.calico`);
    const known = [
      ["REMOTE", await stage.blockOf("node2")],
      ["OWN", await stage.blockOf("node1")],
      ["POD", `${pod.address}/32`],
      ["CALI", pod.interfaceName],
      ["GATEWAY", vtep],
      ["PEERMAC", /lladdr (\S+)/.exec(neighbour)![1]!],
    ] as const;
    for (const [word, value] of known) words.set(word, value);
  });
  after(async () => {
    await stage?.close();
  });

  for (const { mode, cases } of modes) {
    test(`${mode}: settled`, async () => {
      await stage.patch(mode);
      await stage.settled();
      await stage.narrowed();
    });
    for (const { name, breach, limitMs = TOLD_MS } of cases) {
      test(`${mode}: ${name}`, async (context) => {
        const script = [...words].reduce(
          (text, [word, value]) => text.replaceAll(word, value),
          breach,
        );
        const { broken, tookMs, left } = await breakAndWait(node, script, limitMs);
        context.diagnostic(`${mode}: ${name}: ${tookMs.toFixed(0)} ms`);
        assert.deepEqual(left, [], `still different after ${tookMs.toFixed(0)} ms`);
        // One look takes some 100 ms: what is repaired before the first ended was broken as well.
        assert.ok(broken.length > 0 || tookMs < TOLD_MS / 2, "nothing was broken");
        const now = await kernelText(node);
        assert.deepEqual(
          foreign.filter((line) => !now.includes(line)),
          [],
          "foreign objects",
        );
      });
    }
  }
});
