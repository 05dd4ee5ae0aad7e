/**
 * From Calico: a node is made by hand to look as Felix and BIRD leave one (dataplane.md 3, 6, 7, 11, 13), under
 * live traffic, and our agent starts on it. No packet is lost, no prefix is ever without a route, what Calico
 * wrote under other keys goes only after ours is in place, and what is Calico's alone stays.
 *
 *  1. VXLAN: Felix's routes are proto boot on vxlan.calico, with an MTU; same-subnet ones proto 80, onlink
 *  2. None: BIRD's routes have metric 1024
 *  3. IPIP: Felix's proto 80 with an MTU, or BIRD's with metric 1024, both on tunl0
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { askAgentDiff } from "../../src/ctl/agent-socket.ts";
import { killAgent, startAgent } from "../../src/lab/index.ts";
import { formatPrefix } from "../../src/lib/index.ts";
import type { ModeName } from "../../src/model/index.ts";
import { openMonitor, type Route } from "../../src/netlink/index.ts";
import { differing, inside, kernelText } from "./node-state.ts";
import { losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";

/** What Felix and kube-proxy keep in the firewall, in both of Calico's ways, cut short. */
const FIREWALL = `
nft -f - <<'END'
table ip calico {
  set cali40all-vxlan-net { type ipv4_addr; elements = { 172.139.20.76, 172.139.30.75 } }
  chain filter-cali-INPUT { type filter hook input priority 0; policy accept;
    udp dport 4789 ip saddr @cali40all-vxlan-net accept; }
  chain nat-cali-nat-outgoing { ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 masquerade; }
  chain nat-cali-POSTROUTING { type nat hook postrouting priority 100; policy accept;
    jump nat-cali-nat-outgoing; }
}
table ip filter {
  chain cali-INPUT { ip protocol 4 accept; }
  chain INPUT { type filter hook input priority 0; policy accept; jump cali-INPUT; }
}
END
`;

/** Left by blocks that are gone, and by nobody of ours. */
const LEFTOVERS = `
ip route add 10.244.77.0/26 via 172.139.20.76 dev eth0 proto bird metric 1024 onlink
ip route add 10.244.78.0/26 via 172.139.20.76 dev eth0 proto 80 onlink
ip route add blackhole 10.244.79.0/26 proto bird metric 1024
ip route add 10.244.200.0/26 via 172.139.20.1 proto static
`;

interface Words {
  /** Per remote node: block, address, tunnel address, MAC of its VXLAN device. */
  readonly remotes: readonly {
    readonly block: string;
    readonly address: string;
    readonly vtep: string;
    readonly mac: string;
    readonly near: boolean;
  }[];
  readonly own: string;
  readonly pods: readonly { readonly address: string; readonly device: string }[];
}

const pods = ({ own, pods: all }: Words, blackhole: string) =>
  [
    // The CNI plugin writes metric 0, Felix 1024 beside it or instead.
    ...all.map(({ address, device }, index) =>
      index === 0
        ? `ip route add ${address} dev ${device} scope link metric 1024; ip route delete ${address} metric 0`
        : `ip route add ${address} dev ${device} scope link metric 1024`,
    ),
    `ip route delete blackhole ${own}; ip route add blackhole ${own} ${blackhole}`,
  ].join("\n");

function vxlanNode(words: Words, crossSubnet: boolean): string {
  const device = `
    set -- $(ip -o -4 address show dev vxlan.calico); tunnel=$4
    mac=$(ip -o link show vxlan.calico | sed 's/.*ether \\([^ ]*\\).*/\\1/')
    ip link delete vxlan.calico
    ip link add vxlan.calico address $mac mtu 1450 type vxlan id 4096 local 172.139.20.75 dev eth0 dstport 4789 nolearning
    ip link set vxlan.calico up; ip address add $tunnel dev vxlan.calico`;
  const routes = words.remotes.map(({ block, address, vtep, mac, near }) =>
    near && crossSubnet
      ? `ip route replace ${block} via ${address} dev eth0 proto 80 onlink`
      : `ip neighbour replace ${vtep} lladdr ${mac} dev vxlan.calico nud permanent
         bridge fdb replace ${mac} dev vxlan.calico dst ${address} self permanent
         ip route add ${block} via ${vtep} dev vxlan.calico onlink mtu 1450`,
  );
  return [device, ...routes, pods(words, "proto 80")].join("\n");
}

const plainNode = (words: Words) =>
  [
    ...words.remotes.map(
      ({ block, address, near }) =>
        `ip route add ${block} via ${near ? address : "172.139.20.1"} dev eth0 proto bird metric 1024
         ip route delete ${block} metric 0`,
    ),
    pods(words, "proto bird metric 1024"),
  ].join("\n");

const ipipNode = (words: Words) =>
  [
    ...words.remotes.map(({ block, address, near }) =>
      near
        ? `ip route replace ${block} via ${address} dev tunl0 proto 80 onlink mtu 1480`
        : `ip route add ${block} via ${address} dev tunl0 proto bird metric 1024 onlink
           ip route delete ${block} metric 0`,
    ),
    pods(words, "proto 80"),
  ].join("\n");

const cases: readonly (readonly [ModeName, (words: Words) => string])[] = [
  ["vxlan", (words) => vxlanNode(words, false)],
  ["vxlan-cross-subnet", (words) => vxlanNode(words, true)],
  ["none", plainNode],
  ["ipip", ipipNode],
];

describe("take-over from Calico", { skip, timeout: 200_000 }, () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open("takeover", { nodes: 3, mode: cases[0]![0] });
  });
  after(async () => {
    await stage?.close();
  });

  async function readWords(): Promise<Words> {
    const names = stage.nodeNames.slice(1);
    const node = stage.lab.nodes[0]!;
    const text = await kernelText(node.namespace);
    const remotes = names.map(async (name) => {
      const { spec } = await stage.store.get("Node", name);
      const address = spec.bgp!.ipv4Address!.split("/")[0]!;
      const vtep = spec.ipv4VXLANTunnelAddr ?? "none";
      const line = text.find((one) => one.startsWith(`${vtep} dev vxlan.calico`)) ?? "";
      const mac = /lladdr (\S+)/.exec(line)?.[1] ?? "none";
      const near = address.startsWith("172.139.20.");
      return { block: await stage.blockOf(name), address, vtep, mac, near };
    });
    return {
      remotes: await Promise.all(remotes),
      own: await stage.blockOf(node.name),
      pods: stage.lab.pods
        .filter((pod) => pod.node === node.name)
        .map(({ address, interfaceName }) => ({ address, device: interfaceName })),
    };
  }

  for (const [mode, calico] of cases) {
    test(mode, async (context) => {
      await stage.patch(mode);
      await stage.settled();
      await stage.narrowed();
      const node = stage.lab.nodes[0]!;
      const { namespace } = node;
      context.after(() => startAgent(stage.lab, node.name));
      const words = await readWords();
      const ours = await kernelText(namespace);
      await killAgent(stage.lab, node.name);
      inside(
        namespace,
        `nft delete table ip switchyard\n${calico(words)}\n${FIREWALL}${LEFTOVERS}`,
      );
      const foreign = inside(namespace, "nft list table ip calico; nft list table ip filter");

      const fewest = watchRoutes(namespace);
      let tookMs = 0;
      const report = await stage.underTraffic(async () => {
        const startedMs = performance.now();
        await startAgent(stage.lab, node.name);
        for (;;) {
          const diff = await askAgentDiff(node.agentSocket).catch(() => undefined);
          if (diff?.equal) break;
          tookMs = performance.now() - startedMs;
          assert.ok(tookMs < 20_000, JSON.stringify(diff, null, 2));
          await wait(20);
        }
        tookMs = performance.now() - startedMs;
      });
      context.diagnostic(
        `${mode}: taken over in ${tookMs.toFixed(0)} ms, ${report.total.sent} sent`,
      );
      assert.deepEqual(losses(report), nothingLost);

      const without = fewest.stop();
      const live = [...words.remotes.map(({ block }) => block), words.own];
      for (const prefix of [...live, ...words.pods.map(({ address }) => `${address}/32`)]) {
        assert.ok((without.get(prefix) ?? 1) >= 1, `${prefix} was without a route`);
      }
      const now = inside(namespace, "nft list table ip calico; nft list table ip filter");
      assert.equal(now, foreign);
      // Exactly our own node again, and beside it what is not ours.
      const other = inside(namespace, "ip route show proto static root 10.244.200.0/26");
      assert.match(other, /10\.244\.200\.0\/26/);
      inside(
        namespace,
        "nft delete table ip calico; nft delete table ip filter; ip route delete 10.244.200.0/26",
      );
      assert.deepEqual(differing(ours, await kernelText(namespace)), []);
    });
  }
});

/** Counts the routes of each prefix from events; what it tells is the fewest there ever were. */
function watchRoutes(namespace: string): { stop(): Map<string, number> } {
  const held = new Map<string, Set<string>>();
  const key = (route: Route) => `${route.metric ?? 0}`;
  for (const line of inside(namespace, "ip -4 route show").split("\n")) {
    const match = /^(?:blackhole )?(\d\S*)/.exec(line);
    if (!match) continue;
    const prefix = match[1]!.includes("/") ? match[1]! : `${match[1]}/32`;
    const metrics = held.get(prefix) ?? new Set();
    held.set(prefix, metrics.add(/metric (\d+)/.exec(line)?.[1] ?? "0"));
  }
  const fewest = new Map([...held].map(([prefix, metrics]) => [prefix, metrics.size]));
  const monitor = openMonitor({ namespace, groups: ["ipv4-route"] });
  return {
    stop() {
      for (;;) {
        const events = monitor.take(1000);
        for (const event of events) {
          assert.equal(event.kind, "route", "events were lost");
          if (event.kind !== "route" || (event.route.table ?? 254) !== 254) continue;
          const prefix = formatPrefix(event.route.destination);
          const metrics = held.get(prefix) ?? new Set();
          held.set(prefix, metrics);
          if (event.removed) metrics.delete(key(event.route));
          else metrics.add(key(event.route));
          fewest.set(prefix, Math.min(fewest.get(prefix) ?? 1, metrics.size));
        }
        if (events.length === 0) break;
      }
      monitor.close();
      return fewest;
    },
  };
}
