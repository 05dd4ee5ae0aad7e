import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipAddress, ipv4, prefix, prefix4 } from "../lib/index.ts";
import type { FirewallPlan } from "../plan/index.ts";
import { firewallRules, portsBeside, replaceScript, updateScript } from "./firewall-render.ts";

const empty: FirewallPlan = {
  pools: [],
  masqueradedPools: [],
  excludedHosts: [],
  vxlanPort: 4789,
  tunnels: [],
};
const pool = prefix4("10.244.0.0/16");

function wanted(change: Partial<FirewallPlan>) {
  return firewallRules({
    family: 4,
    firewall: { ...empty, ...change },
    workloadDevicePrefix: "cali",
  });
}

function rules(change: Partial<FirewallPlan>, chain: string): string[] {
  const lines = wanted(change)
    .chains.split("\n")
    .map((line) => line.trim());
  const start = lines.indexOf(`chain ${chain} {`);
  if (start < 0) return [];
  return lines
    .slice(start + 1, lines.indexOf("}", start))
    .filter((line) => !line.startsWith("type "));
}

const outgoing = "ip saddr @masq-ipam-pools ip daddr != @network-ip-pools";

describe("firewallRules", () => {
  it("says the same of IPv6 in its words, without protocol 4", () => {
    const firewall: FirewallPlan = {
      ...empty,
      pools: [prefix("fd00:244::/64")],
      masqueradedPools: [prefix("fd00:244::/64")],
      vxlanSenders: [prefix("2001:db8:20::76/128")],
      natOutgoingAddress: ipAddress("2001:db8::9"),
      natPortRange: "4000",
      tunnels: ["vxlan-v6.calico"],
    };
    const six = firewallRules({ family: 6, firewall, workloadDevicePrefix: "cali" });
    assert.match(six.chains, /ip6 saddr @masq-ipam-pools ip6 daddr != @network-ip-pools meta/);
    assert.match(six.chains, /snat to \[2001:db8::9\]:4000 fully-random\n/);
    assert.match(six.chains, /udp dport 4789 ip6 saddr @all-vxlan-net fib daddr type local accept/);
    assert.doesNotMatch(six.chains, /protocol 4|ip saddr/);
    assert.deepEqual(six.sets.get("all-vxlan-net"), ["2001:db8:20::76"]);
    const script = updateScript(six, new Map());
    assert.match(script, /^add table ip6 switchyard\n/);
    assert.match(script, /type ipv6_addr; flags interval/);
  });

  const nat: readonly (readonly [string, Partial<FirewallPlan>, readonly string[]])[] = [
    ["no pool is masqueraded", { pools: [pool] }, []],
    ["masquerade", { masqueradedPools: [pool] }, [`${outgoing} masquerade fully-random`]],
    [
      "hosts excluded",
      { masqueradedPools: [pool], excludedHosts: [ipv4("172.139.20.75")] },
      [`${outgoing} ip daddr != @nat-excluded-hosts masquerade fully-random`],
    ],
    [
      "port range",
      { masqueradedPools: [pool], natPortRange: "32768:65535" },
      [
        `${outgoing} meta l4proto { tcp, udp } masquerade to :32768-65535 fully-random`,
        `${outgoing} masquerade fully-random`,
      ],
    ],
    [
      "address",
      { masqueradedPools: [pool], natOutgoingAddress: ipv4("192.0.2.1") },
      [`${outgoing} snat to 192.0.2.1 fully-random`],
    ],
    [
      "address and one port",
      { masqueradedPools: [pool], natOutgoingAddress: ipv4("192.0.2.1"), natPortRange: "4000" },
      [
        `${outgoing} meta l4proto { tcp, udp } snat to 192.0.2.1:4000 fully-random`,
        `${outgoing} snat to 192.0.2.1 fully-random`,
      ],
    ],
  ];
  for (const [name, change, expected] of nat) {
    it(`nat-outgoing: ${name}`, () => assert.deepEqual(rules(change, "nat-outgoing"), expected));
  }

  for (const range of ["", "0:10", "9:8", "1:65536", "a", "1:2:3", "1; drop"]) {
    it(`refuses the port range ${JSON.stringify(range)}`, () => {
      assert.throws(() => wanted({ masqueradedPools: [pool], natPortRange: range }), {
        code: "INVALID_ARGUMENT",
        message: `natPortRange ${JSON.stringify(range)} is no port range`,
      });
    });
  }

  it("masquerades what the host sends into a tunnel, off the VXLAN port", () => {
    const tunnel = 'oifname "tunl0" fib saddr . oif type != local fib saddr type local';
    assert.deepEqual(rules({ tunnels: ["tunl0"] }, "nat-postrouting"), [
      "jump nat-outgoing",
      `${tunnel} masquerade fully-random`,
    ]);
    assert.deepEqual(rules({ tunnels: ["tunl0"], vxlanSenders: [] }, "nat-postrouting"), [
      "jump nat-outgoing",
      `${tunnel} meta l4proto udp masquerade to :4790-65535 fully-random`,
      `${tunnel} masquerade fully-random`,
    ]);
  });

  it("filters and leaves untracked only what is in use", () => {
    assert.deepEqual(rules({}, "filter-input"), []);
    assert.deepEqual(rules({}, "raw-prerouting"), []);
    assert.deepEqual(rules({ ipipSenders: [] }, "filter-input"), [
      "ip protocol 4 ip saddr @all-hosts-net fib daddr type local accept",
      "ip protocol 4 drop",
    ]);
    assert.deepEqual(rules({ vxlanSenders: [], vxlanPort: 8472 }, "filter-input"), [
      "udp dport 8472 ip saddr @all-vxlan-net fib daddr type local accept",
      "udp dport 8472 fib daddr type local drop",
    ]);
    assert.deepEqual(rules({ vxlanSenders: [] }, "raw-output"), ["udp dport 4789 notrack"]);
  });

  it("forwards nothing for services that no service proxy has taken", () => {
    const cidrs = [prefix4("10.96.0.0/12"), prefix4("10.97.0.0/16")];
    const ending = (change: Partial<FirewallPlan>) => rules(change, "filter-forward").at(-1);
    assert.match(ending({}) ?? "", /udp dport 4789 drop$/);
    assert.equal(ending({ unserved: { cidrs, action: "drop" } }), "ip daddr @service-cidrs drop");
    const unserved = { cidrs, action: "reject" } as const;
    assert.equal(ending({ unserved }), "ip daddr @service-cidrs reject");
    assert.deepEqual(wanted({ unserved }).sets.get("service-cidrs"), ["10.96.0.0/12"]);
  });

  it("leaves prefixes inside others out of the sets, and sorts them", () => {
    const pools = ["10.9.0.0/24", "10.244.0.0/16", "10.244.1.0/24", "10.9.0.0/24"].map((text) =>
      prefix4(text),
    );
    const { sets } = wanted({ pools, ipipSenders: [prefix4("172.139.20.75/32")] });
    assert.deepEqual(sets.get("network-ip-pools"), ["10.9.0.0/24", "10.244.0.0/16"]);
    assert.deepEqual(sets.get("all-hosts-net"), ["172.139.20.75"]);
  });
});

it("updateScript touches no element that stays, and no other table", () => {
  const rules = wanted({ pools: [pool, prefix4("10.9.0.0/24")] });
  const script = updateScript(
    rules,
    new Map([["network-ip-pools", ["10.244.0.0/16", "10.8.0.1"]]]),
  );
  const lines = script.split("\n");
  assert.deepEqual(
    lines.filter((line) => / element | table /.test(` ${line}`)),
    [
      "add table ip switchyard",
      "flush table ip switchyard",
      "table ip switchyard {",
      "delete element ip switchyard network-ip-pools { 10.8.0.1 }",
      "add element ip switchyard network-ip-pools { 10.9.0.0/24 }",
    ],
  );
});

it("replaceScript makes the table anew in the same transaction", () => {
  const lines = replaceScript(wanted({})).split("\n");
  assert.deepEqual(lines.slice(0, 3), [
    "add table ip switchyard",
    "delete table ip switchyard",
    "add table ip switchyard",
  ]);
});

it("portsBeside takes the wider side", () => {
  assert.equal(portsBeside(4789), "4790-65535");
  assert.equal(portsBeside(60000), "1-59999");
});
