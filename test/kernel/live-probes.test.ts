/**
 * Live probes on real kernels: two hosts and a router between them, nobody but the kernels answers. What is
 * lost is lost on purpose, packet by packet.
 */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LiveProbes, TICK_MS } from "../../src/agent/guard/live-probes.ts";
import { ipAddress, sleep, systemClock } from "../../src/lib/index.ts";
import type { PathKind } from "../../src/mode/index.ts";
import { EchoSocket } from "../../src/probe/index.ts";
import { ip, Namespaces, pathOf, sh } from "./ipip-namespaces.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const here = { 4: "10.244.1.9", 6: "fd00:244:1::9" } as const;
const there = { 4: "10.244.2.9", 6: "fd00:244:2::9" } as const;

interface Bench {
  readonly a: string;
  readonly b: string;
  readonly router: string;
  readonly probes: LiveProbes;
  /** Ticks for so long, as the agent does. */
  run(forMs: number): Promise<void>;
  lost(kind: PathKind): number;
  said(kind: PathKind): string | undefined;
}

let namespaces: Namespaces;
let open: LiveProbes | undefined;
beforeEach(() => {
  namespaces = new Namespaces();
});
afterEach(() => {
  open?.close();
  open = undefined;
  namespaces.remove();
});

function nft(namespace: string, rules: string): void {
  sh(`nsenter --net=${pathOf(namespace)} nft '${rules}'`);
}

/** Drops what matches, on its way through the router. */
function filter(router: string, match: string): void {
  nft(router, "add table inet t; add chain inet t f { type filter hook forward priority 0; }");
  nft(router, `add rule inet t f ${match} drop`);
}

async function bench(family: 4 | 6 = 4, fullBytes = 1500): Promise<Bench> {
  const [a, b, router] = [namespaces.add("a"), namespaces.add("b"), namespaces.add("r")];
  for (const [host, net] of [
    [a, 1],
    [b, 2],
  ] as const) {
    ip(
      router,
      `link add h${net} type veth peer name eth0 netns ${host}
       addr add 192.0.2.${net * 16 + 1}/28 dev h${net}
       addr add 2001:db8:${net}::1/64 dev h${net} nodad
       link set h${net} up`,
    );
    ip(
      host,
      `link set eth0 up
       addr add 192.0.2.${net * 16 + 2}/28 dev eth0
       addr add 2001:db8:${net}::2/64 dev eth0 nodad
       addr add 10.244.${net}.9/32 dev lo
       addr add fd00:244:${net}::9/128 dev lo
       route add default via 192.0.2.${net * 16 + 1}
       route add default via 2001:db8:${net}::1`,
    );
    ip(
      router,
      `route add 10.244.${net}.9/32 via 192.0.2.${net * 16 + 2}
       route add fd00:244:${net}::9/128 via 2001:db8:${net}::2`,
    );
  }
  const forwarding = "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1";
  sh(`nsenter --net=${pathOf(router)} sysctl -qw ${forwarding}`);
  const address = ipAddress(here[family]);
  const socket = new EchoSocket({ address, namespace: pathOf(a), clock: systemClock });
  const probes = new LiveProbes({ clock: systemClock, socket });
  open = probes;
  probes.follow([{ node: "b", address: ipAddress(there[family]) }]);
  const run = async (forMs: number) => {
    const untilMs = systemClock.monotonicMs() + forMs;
    while (systemClock.monotonicMs() < untilMs) {
      probes.tick(fullBytes);
      await sleep(systemClock, TICK_MS);
    }
  };
  const report = (kind: PathKind) => probes.reports().find((path) => path.kind === kind);
  await run(1_500);
  probes.judge();
  return {
    ...{ a, b, router, probes, run },
    lost: (kind) => report(kind)?.since.lost ?? Number.NaN,
    said: (kind) => report(kind)?.said,
  };
}

describe("live probes", { skip }, () => {
  for (const family of [4, 6] as const) {
    test(`kernels answer all of them (IPv${family})`, async () => {
      const { probes, run } = await bench(family);
      await run(2_000);
      for (const { kind, before, since } of probes.reports()) {
        assert.ok(before.answered > 0, `${kind} before`);
        assert.ok(since.answered > 0, `${kind} since`);
        assert.equal(before.lost + since.lost, 0, kind);
      }
      const { sent, lost, rttP50Us } = probes.totals();
      assert.ok(sent >= 30 && lost === 0, `${sent} sent, ${lost} lost`);
      // The kernel's time of receipt: without it all would be as old as a tick.
      assert.ok(rttP50Us > 0 && rttP50Us < (TICK_MS * 1000) / 2, `${rttP50Us} us`);
    });
  }

  for (const [what, match] of [
    ["on its way", `ip daddr ${there[4]} icmp type echo-request`],
    ["on its way back", `ip daddr ${here[4]} icmp type echo-reply`],
  ] as const) {
    test(`one packet that is dropped ${what} is noticed, and no other`, async () => {
      const { router, run, lost, probes } = await bench();
      filter(router, `${match} limit rate 1/day burst 1 packets`);
      await run(2_500);
      assert.deepEqual([lost("echo") + lost("full"), probes.totals().lost], [1, 1]);
    });
  }

  test("a process that stands still for two seconds loses nothing", async () => {
    const { run, probes } = await bench();
    for (let i = 0; i < 2; i++) {
      probes.tick(1500);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
      probes.tick(1500);
      await run(300);
    }
    await run(1_500);
    assert.equal(probes.totals().lost, 0);
  });

  test("a filter that lets ICMP pass is found by knocks", async () => {
    const { router, run, lost, probes } = await bench();
    filter(router, `ip daddr ${there[4]} meta l4proto udp`);
    await run(5_000);
    const knock = probes.reports().find(({ kind }) => kind === "knock");
    assert.ok((knock?.since.lostInARow ?? 0) >= 3, JSON.stringify(knock));
    assert.equal(lost("echo"), 0);
  });

  test("a link that became narrow is found by packets of full size, and the router's word is told", async () => {
    const { router, run, lost, said } = await bench();
    ip(router, "link set h2 mtu 1400");
    await run(1_500);
    assert.ok(lost("full") > 0);
    assert.equal(said("full"), "fragmentation needed, by 192.0.2.17");
    assert.equal(lost("echo"), 0);
  });

  test("no route here is loss at once; an address that has gone here is none", async () => {
    const { a, run, lost, said, probes } = await bench();
    ip(a, "route add unreachable 10.244.2.9/32");
    await run(300);
    assert.ok(lost("echo") > 0);
    assert.match(said("echo") ?? "", /, by this host$/);
    ip(a, "route del unreachable 10.244.2.9/32");
    await run(1_500);
    const before = probes.totals().lost;
    ip(a, "addr del 10.244.1.9/32 dev lo");
    await run(100);
    const { lost: after } = probes.totals();
    ip(a, "addr add 10.244.1.9/32 dev lo");
    assert.equal(after, before);
  });

  test("no route on the way is loss, and who said so is told", async () => {
    const { router, run, lost, said } = await bench();
    ip(router, "route del 10.244.2.9/32");
    await run(1_500);
    assert.ok(lost("echo") > 0);
    assert.match(said("echo") ?? "", /^network unreachable, by 192\.0\.2\.17$/);
  });
});
