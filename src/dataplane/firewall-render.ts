/**
 * The nftables script of a node: NAT of pods towards the outside, allow-lists for encapsulated packets,
 * no connection tracking of VXLAN. Pure text; one script is one transaction.
 * An `accept` ends only our own base chain: a drop in any other table still holds.
 */

import {
  comparePrefixes,
  type Family,
  formatAddress,
  formatPrefix,
  hostPrefix,
  isHostPrefix,
  type Prefix,
  prefixCovers,
  SwitchyardError,
} from "../lib/index.ts";
import type { FirewallPlan } from "../plan/index.ts";

export const firewallTable = "switchyard";

/** IANA protocol 4, IP-in-IP (RFC 2003). */
const IPIP = "ip protocol 4";

/** `ip` or `ip6`: nft's word for tables and header fields of a family. */
export function familyWord(family: Family): string {
  return family === 4 ? "ip" : "ip6";
}

export interface FirewallInput {
  readonly family: Family;
  readonly firewall: FirewallPlan;
  /** Host ends of pods: `cali`. */
  readonly workloadDevicePrefix: string;
}

/** Everything our table should hold. */
export interface FirewallRules {
  readonly family: Family;
  /** Elements of each named set, as nft prints them. */
  readonly sets: ReadonlyMap<string, readonly string[]>;
  /** The chains with their rules, in nft's language. */
  readonly chains: string;
}

/** @throws INVALID_ARGUMENT for a port range that is none. */
export function firewallRules(input: FirewallInput): FirewallRules {
  const { firewall, family } = input;
  const sets = new Map([
    ["network-ip-pools", elements(firewall.pools)],
    ["masq-ipam-pools", elements(firewall.masqueradedPools)],
    ["nat-excluded-hosts", elements(firewall.excludedHosts.map((host) => hostPrefix(host)))],
    ["all-hosts-net", elements(firewall.ipipSenders ?? [])],
    ["all-vxlan-net", elements(firewall.vxlanSenders ?? [])],
    ["service-cidrs", elements(firewall.unserved?.cidrs ?? [])],
  ]);
  // Every packet of a tunnel looks like a flow of its own: tracking them only fills the table.
  const notrack =
    firewall.vxlanSenders === undefined ? [] : [`udp dport ${firewall.vxlanPort} notrack`];
  const chains = [
    chain("nat-outgoing", natOutgoing(input)),
    chain("nat-postrouting", natPostrouting(input), "nat hook postrouting priority srcnat"),
    chain("filter-input", filterInput(input), "filter hook input priority filter"),
    chain("filter-forward", filterForward(input), "filter hook forward priority filter"),
    chain("raw-prerouting", notrack, "filter hook prerouting priority raw"),
    chain("raw-output", notrack, "filter hook output priority raw"),
  ];
  return { family, sets, chains: chains.join("\n") };
}

/**
 * One transaction that brings our table from the elements it holds to `rules`. Sets and the elements that
 * stay are not touched: a rule that is being evaluated while a set is replaced finds it empty, and the
 * `drop` after an allow-list hits the packet (about 1 in 10,000 packets per replacement, kernel 6.18).
 */
export function updateScript(
  rules: FirewallRules,
  held: ReadonlyMap<string, readonly string[]>,
): string {
  const table = tableOf(rules);
  const type = rules.family === 4 ? "ipv4_addr" : "ipv6_addr";
  const lines = [
    `add table ${table}`,
    `flush table ${table}`,
    `table ${table} {`,
    ...[...rules.sets.keys()].map((name) => `  set ${name} { type ${type}; flags interval; }`),
    rules.chains,
    "}",
  ];
  for (const [name, wanted] of rules.sets) {
    const has = new Set(held.get(name));
    const wants = new Set(wanted);
    const change = (verb: string, list: readonly string[]) =>
      list.length === 0 ? [] : [`${verb} element ${table} ${name} { ${list.join(", ")} }`];
    lines.push(
      ...change(
        "delete",
        [...has].filter((element) => !wants.has(element)),
      ),
    );
    lines.push(
      ...change(
        "add",
        wanted.filter((element) => !has.has(element)),
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

/**
 * One transaction that makes our table anew, for when its parts cannot be changed in place (another
 * version made them). The first line lets the deletion succeed where there is no table (`destroy` needs
 * nft 1.0.7).
 */
export function replaceScript(rules: FirewallRules): string {
  const table = tableOf(rules);
  return `add table ${table}\ndelete table ${table}\n${updateScript(rules, new Map())}`;
}

function tableOf({ family }: FirewallRules): string {
  return `${familyWord(family)} ${firewallTable}`;
}

function natOutgoing({ firewall, family }: FirewallInput): string[] {
  if (firewall.masqueradedPools.length === 0) return [];
  const excludesHosts = firewall.excludedHosts.length > 0;
  const ip = familyWord(family);
  const match = [
    `${ip} saddr @masq-ipam-pools ${ip} daddr != @network-ip-pools`,
    ...(excludesHosts ? [`${ip} daddr != @nat-excluded-hosts`] : []),
  ].join(" ");
  const { natOutgoingAddress: address, natPortRange } = firewall;
  const to = address === undefined ? "" : formatAddress(address);
  const verb = address === undefined ? "masquerade" : "snat";
  const generic = `${match} ${verb}${to === "" ? "" : ` to ${to}`} fully-random`;
  if (natPortRange === undefined) return [generic];
  const ports = `${to !== "" && family === 6 ? `[${to}]` : to}:${portRange(natPortRange)}`;
  return [`${match} meta l4proto { tcp, udp } ${verb} to ${ports} fully-random`, generic];
}

/**
 * Traffic of the host itself that leaves by a tunnel with a source the other side could not answer
 * through it takes the tunnel's own address.
 */
function natPostrouting({ firewall, family }: FirewallInput): string[] {
  const { probeAddress } = firewall;
  const probe =
    probeAddress === undefined
      ? []
      : [`${familyWord(family)} saddr ${formatAddress(probeAddress)} accept`];
  const rules = [...probe, "jump nat-outgoing"];
  for (const tunnel of firewall.tunnels) {
    const match = `oifname ${quote(tunnel)} fib saddr . oif type != local fib saddr type local`;
    if (firewall.vxlanSenders !== undefined) {
      // A source port equal to the VXLAN port would look like VXLAN where replies are filtered.
      const ports = portsBeside(firewall.vxlanPort);
      rules.push(`${match} meta l4proto udp masquerade to :${ports} fully-random`);
    }
    rules.push(`${match} masquerade fully-random`);
  }
  return rules;
}

function filterInput({ firewall, family }: FirewallInput): string[] {
  const rules: string[] = [];
  if (firewall.ipipSenders !== undefined) {
    rules.push(`${IPIP} ip saddr @all-hosts-net fib daddr type local accept`, `${IPIP} drop`);
  }
  if (firewall.vxlanSenders !== undefined) {
    const vxlan = `udp dport ${firewall.vxlanPort}`;
    rules.push(`${vxlan} ${familyWord(family)} saddr @all-vxlan-net fib daddr type local accept`);
    rules.push(`${vxlan} fib daddr type local drop`);
  }
  return rules;
}

/**
 * A pod must not speak the nodes' tunnel protocols: natOutgoing would give its packets the address of
 * its node, which every other node trusts. And what is still for a service here, behind destination NAT,
 * would be sent back to the router that sends it here.
 */
function filterForward({ firewall, family, workloadDevicePrefix }: FirewallInput): string[] {
  const workload = `iifname ${quote(`${workloadDevicePrefix}*`)}`;
  const vxlan = `${workload} udp dport ${firewall.vxlanPort} drop`;
  const { unserved } = firewall;
  return [
    // Nodes speak IP-in-IP over IPv4 only.
    ...(family === 4 ? [`${workload} ${IPIP} drop`] : []),
    vxlan,
    ...(unserved ? [`${familyWord(family)} daddr @service-cidrs ${unserved.action}`] : []),
  ];
}

/** The larger of the ranges below and above `port`. */
export function portsBeside(port: number): string {
  return port > 32768 ? `1-${port - 1}` : `${port + 1}-65535`;
}

/** `MIN:MAX` as Calico writes it (or one port) in nft's words. */
function portRange(text: string): string {
  const match = /^(\d{1,5})(?:[:-](\d{1,5}))?$/.exec(text);
  const low = Number(match?.[1]);
  const high = Number(match?.[2] ?? match?.[1]);
  if (!match || low < 1 || high > 65535 || low > high) {
    throw new SwitchyardError("INVALID_ARGUMENT", `natPortRange ${quote(text)} is no port range`);
  }
  return low === high ? `${low}` : `${low}-${high}`;
}

/** nft refuses overlapping intervals: prefixes inside another are left out. */
function elements(prefixes: readonly Prefix[]): string[] {
  const kept: Prefix[] = [];
  for (const prefix of [...prefixes].sort(comparePrefixes)) {
    const last = kept.at(-1);
    if (last === undefined || !prefixCovers(last, prefix)) kept.push(prefix);
  }
  return kept.map((prefix) =>
    isHostPrefix(prefix) ? formatAddress(prefix.address) : formatPrefix(prefix),
  );
}

function chain(name: string, rules: readonly string[], base?: string): string {
  const head = base === undefined ? [] : [`    type ${base}; policy accept;`];
  return [`  chain ${name} {`, ...head, ...rules.map((rule) => `    ${rule}`), "  }"].join("\n");
}

function quote(text: string): string {
  return JSON.stringify(text);
}
