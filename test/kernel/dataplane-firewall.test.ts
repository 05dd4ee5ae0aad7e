/** The firewall table in a real kernel: written once, noticed when touched, changed in place. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import { Firewall } from "../../src/dataplane/firewall.ts";
import type { FirewallInput } from "../../src/dataplane/firewall-render.ts";
import { type Ipv4, maskPrefix, prefix4, systemClock } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";
import { namespacePath } from "../../src/lib/sys/index.ts";
import type { FirewallPlan } from "../../src/plan/index.ts";
import { makeCluster, Probe } from "./dataplane-cluster.ts";
import { inside, Namespaces, obstacleToKernelTests } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();

function input(change: Partial<FirewallPlan> = {}): FirewallInput {
  return {
    family: 4,
    workloadDevicePrefix: "cali",
    firewall: {
      pools: [prefix4("10.244.0.0/16")],
      masqueradedPools: [prefix4("10.244.0.0/16")],
      excludedHosts: [],
      ipipSenders: [prefix4("172.139.20.76/32"), prefix4("172.139.30.0/24")],
      vxlanSenders: [prefix4("172.139.20.76/32")],
      vxlanPort: 4789,
      tunnels: ["tunl0", "vxlan.calico"],
      ...change,
    },
  };
}

function start(context: TestContext) {
  const namespaces = new Namespaces();
  context.after(() => namespaces.close());
  const name = namespaces.make("fw");
  const options = {
    namespace: namespacePath(name),
    family: 4 as const,
    clock: systemClock,
    log: silentLog,
    checkMs: 0,
  };
  const list = () => inside(name, "nft list table ip switchyard");
  /** The table without its marker: what filters and translates. */
  const rules = () => list().replace(/\tchain marker \{[^}]*\}/, "");
  return { name, options, firewall: new Firewall(options), list, rules };
}

describe("firewall", skip === undefined ? {} : { skip }, () => {
  it("is written once, also for a new driver", async (context) => {
    const { options, firewall, list } = start(context);
    assert.equal(await firewall.ensure(input()), true);
    const first = list();
    assert.equal(await firewall.ensure(input()), false);
    assert.equal(await new Firewall(options).ensure(input()), false);
    assert.equal(list(), first);
  });

  for (const [what, command] of [
    ["the rules flushed", "nft flush table ip switchyard"],
    ["the table deleted", "nft delete table ip switchyard"],
    ["the whole ruleset flushed", "nft flush ruleset"],
    ["a rule added", "nft add rule ip switchyard filter-input drop"],
    ["an element removed", "nft delete element ip switchyard all-vxlan-net '{ 172.139.20.76 }'"],
    ["an element added", "nft add element ip switchyard masq-ipam-pools '{ 10.1.0.0/16 }'"],
    [
      "a chain of that name with another hook",
      `nft delete table ip switchyard; nft add table ip switchyard
       nft add chain ip switchyard filter-input '{ type filter hook forward priority 7; }'`,
    ],
    [
      "a set of that name with other elements",
      `nft delete table ip switchyard; nft add table ip switchyard
       nft add set ip switchyard all-hosts-net '{ type inet_service; }'
       nft add element ip switchyard all-hosts-net '{ 22 }'`,
    ],
  ] as const) {
    it(`is put right after ${what}, also by a new driver`, async (context) => {
      const { name, options, firewall, rules } = start(context);
      await firewall.ensure(input());
      const right = rules();
      for (const driver of [firewall, new Firewall(options)]) {
        inside(name, command);
        assert.equal(await driver.ensure(input()), true);
        assert.equal(rules(), right);
        assert.equal(await driver.ensure(input()), false);
      }
    });
  }

  it("is the same by any way to it", { timeout: 60_000 }, async (context) => {
    const { options, firewall, name, rules } = start(context);
    const prefix = fc
      .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 26, max: 32 }))
      .map(([host, length]) => maskPrefix({ address: (0x0af40000 + host) as Ipv4, length }));
    const prefixes = fc.array(prefix, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(prefixes, prefixes, async (before, after) => {
        await firewall.ensure(input({ pools: before, ipipSenders: after }));
        await firewall.ensure(input({ pools: after, ipipSenders: before }));
        const changed = rules();
        inside(name, "nft delete table ip switchyard");
        await new Firewall(options).ensure(input({ pools: after, ipipSenders: before }));
        assert.equal(changed, rules());
      }),
      { numRuns: 15 },
    );
  });

  it("says what nft said", async (context) => {
    const { firewall } = start(context);
    await assert.rejects(firewall.ensure(input({ tunnels: ["a-name-that-is-too-long"] })), {
      code: "COMMAND_FAILED",
      message: /^nft -f -: .*Error: /s,
    });
  });

  it("loses no packet while an allow-list changes under it", async (context) => {
    const cluster = await makeCluster(context);
    const plans = cluster.nodes.map((node) =>
      cluster.plan(node, { send: () => "vxlan", receive: ["vxlan"], natOutgoing: true }),
    );
    for (const [index, node] of cluster.nodes.entries()) {
      assert.deepEqual((await node.dataplane.apply(plans[index]!)).failures, []);
    }
    const probe = await Probe.start(context, cluster);
    await wait(200);
    for (let round = 0; round < 15; round++) {
      for (const [index, { dataplane }] of cluster.nodes.entries()) {
        const plan = plans[index]!;
        const more = [...plan.firewall.vxlanSenders!, prefix4(`192.0.2.${round}/32`)];
        const firewall = { ...plan.firewall, vxlanSenders: more };
        assert.equal((await dataplane.apply({ ...plan, firewall })).changes, 1);
      }
    }
    for (const { sent, lost } of await probe.stop()) {
      assert.ok(sent > 500, `only ${sent} sent`);
      assert.equal(lost, 0);
    }
  });
});
