/** RTM_NEWRULE and RTM_DELRULE: policy routing rules (linux/fib_rules.h). */

import { bitsOf, type Family, formatPrefix, type IpAddress, type Prefix } from "../lib/index.ts";
import { type AttributeCodec, attributeTable } from "./attribute.ts";
import { address, bool8, text, u8, u32, u64be } from "./codecs.ts";
import {
  AF_INET,
  AF_INET6,
  familyNumber,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELRULE,
  RTM_NEWRULE,
} from "./constants.ts";
import { defined, headerEnd } from "./header.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { Names, routeTables } from "./names.ts";
import { request } from "./request.ts";
import type { PortRange, Request, Rule } from "./types.ts";
import { build } from "./writer.ts";

/** Two numbers of one size, both included. */
function range(what: string, size: 2 | 4): AttributeCodec<PortRange> {
  return {
    what,
    accepts: (length) => length === 2 * size,
    read: (view, at) =>
      size === 2
        ? { low: view.getUint16(at, true), high: view.getUint16(at + 2, true) }
        : { low: view.getUint32(at, true), high: view.getUint32(at + 4, true) },
    write(writer, { low, high }) {
      for (const each of [low, high]) size === 2 ? writer.u16(each) : writer.u32(each);
    },
  };
}

const attributes = attributeTable("FRA", {
  destination: [1, "FRA_DST", address],
  source: [2, "FRA_SRC", address],
  inputInterface: [3, "FRA_IIFNAME", text],
  goto: [4, "FRA_GOTO", u32],
  priority: [6, "FRA_PRIORITY", u32],
  mark: [10, "FRA_FWMARK", u32],
  tunnelId: [12, "FRA_TUN_ID", u64be],
  suppressGroup: [13, "FRA_SUPPRESS_IFGROUP", u32],
  suppressPrefixLength: [14, "FRA_SUPPRESS_PREFIXLEN", u32],
  table: [15, "FRA_TABLE", u32],
  mask: [16, "FRA_FWMASK", u32],
  outputInterface: [17, "FRA_OIFNAME", text],
  l3mdev: [19, "FRA_L3MDEV", bool8],
  userIds: [20, "FRA_UID_RANGE", range("range of user ids", 4)],
  protocol: [21, "FRA_PROTOCOL", u8],
  ipProtocol: [22, "FRA_IP_PROTO", u8],
  sourcePorts: [23, "FRA_SPORT_RANGE", range("range of ports", 2)],
  destinationPorts: [24, "FRA_DPORT_RANGE", range("range of ports", 2)],
});

/** FR_ACT_*. */
const actions = new Names("rule action", {
  1: "table",
  2: "goto",
  3: "nop",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
});

const FIB_RULE_INVERT = 0x2;
const FIB_RULE_UNRESOLVED = 0x4;
/** What the kernel says where nothing is suppressed. */
const NO_SUPPRESSION = 0xffff_ffff;
/** struct fib_rule_hdr. */
const HEADER_BYTES = 12;

/** @throws NETLINK_MALFORMED. */
export function decodeRule(message: Message): Rule {
  const { view, start, end } = message;
  const from = headerEnd(message, "struct fib_rule_hdr", HEADER_BYTES);
  const familyCode = view.getUint8(start);
  if (familyCode !== AF_INET && familyCode !== AF_INET6) {
    throw malformed(`rule of family ${familyCode}`, view, start, end);
  }
  const family: Family = familyCode === AF_INET ? 4 : 6;
  const values = attributes.decode(view, from, end);
  const prefix = (value: IpAddress | undefined, length: number): Prefix | undefined => {
    if (length === 0) return undefined;
    if (length > bitsOf(family) || typeof value !== (family === 4 ? "number" : "bigint")) {
      throw malformed("rule with a bad prefix", view, start, end);
    }
    return { address: value as IpAddress, length };
  };
  const action = actions.name(view.getUint8(start + 7));
  const { suppressPrefixLength, suppressGroup, l3mdev, ...same } = values;
  const flags = view.getUint32(start + 8, true);
  return defined({
    ...same,
    family,
    priority: values.priority ?? 0,
    table: values.table ?? view.getUint8(start + 4),
    action: action === "table" ? undefined : action,
    source: prefix(values.source, view.getUint8(start + 2)),
    destination: prefix(values.destination, view.getUint8(start + 1)),
    tos: view.getUint8(start + 3) || undefined,
    invert: (flags & FIB_RULE_INVERT) !== 0 || undefined,
    unresolved: (flags & FIB_RULE_UNRESOLVED) !== 0 || undefined,
    l3mdev: l3mdev || undefined,
    suppressPrefixLength:
      suppressPrefixLength === NO_SUPPRESSION ? undefined : suppressPrefixLength,
    suppressGroup: suppressGroup === NO_SUPPRESSION ? undefined : suppressGroup,
  });
}

function ruleRequest(
  verb: string,
  numbers: { readonly type: number; readonly flags: number },
  rule: Rule,
): Request {
  const payload = build((writer) => {
    writer.u8(familyNumber(rule.family));
    writer.u8(rule.destination?.length ?? 0);
    writer.u8(rule.source?.length ?? 0);
    writer.u8(rule.tos ?? 0);
    writer.u8(rule.table < 256 ? rule.table : 0);
    writer.u16(0);
    writer.u8(actions.number(rule.action ?? "table"));
    writer.u32(rule.invert ? FIB_RULE_INVERT : 0);
    const { source, destination, table, l3mdev, ...same } = rule;
    attributes.encode(writer, {
      ...same,
      destination: destination?.address,
      source: source?.address,
      // A rule for VRFs names no table.
      table: l3mdev ? undefined : table,
      l3mdev: l3mdev || undefined,
    });
  });
  const layout = { headerBytes: HEADER_BYTES, table: attributes };
  const text = () => `rule ${verb} ${formatRule(rule)}`;
  return request({ ...numbers, payload, layout, text });
}

/** In the order and words of `ip rule show`, priority first as `ip rule add` takes it. */
export function formatRule(rule: Rule): string {
  const hex = (value: number) => `0x${value.toString(16)}`;
  let result = `priority ${rule.priority}${rule.invert ? " not" : ""}`;
  result += ` from ${rule.source ? formatPrefix(rule.source) : "all"}`;
  if (rule.destination) result += ` to ${formatPrefix(rule.destination)}`;
  if (rule.tos) result += ` tos 0x${rule.tos.toString(16).padStart(2, "0")}`;
  if (rule.mark !== undefined) {
    const masked = rule.mask !== undefined && rule.mask !== 0xffff_ffff;
    result += ` fwmark ${hex(rule.mark)}${masked ? `/${hex(rule.mask!)}` : ""}`;
  }
  if (rule.inputInterface !== undefined) result += ` iif ${rule.inputInterface}`;
  if (rule.outputInterface !== undefined) result += ` oif ${rule.outputInterface}`;
  const { userIds, ipProtocol, sourcePorts, destinationPorts, tunnelId, l3mdev } = rule;
  if (l3mdev) result += " lookup [l3mdev-table]";
  if (userIds) result += ` uidrange ${userIds.low}-${userIds.high}`;
  if (ipProtocol !== undefined) result += ` ipproto ${ipProtocols.name(ipProtocol)}`;
  if (sourcePorts) result += ` sport ${rangeText(sourcePorts)}`;
  if (destinationPorts) result += ` dport ${rangeText(destinationPorts)}`;
  if (tunnelId !== undefined) result += ` tun_id ${tunnelId}`;
  if (rule.table !== 0 && !l3mdev) result += ` lookup ${routeTables.name(rule.table)}`;
  const { suppressPrefixLength, suppressGroup } = rule;
  if (suppressPrefixLength !== undefined) {
    result += ` suppress_prefixlength ${suppressPrefixLength}`;
  }
  if (suppressGroup !== undefined) result += ` suppress_ifgroup ${suppressGroup}`;
  if (rule.action === "goto") {
    return `${result} goto ${rule.goto}${rule.unresolved ? " [unresolved]" : ""}`;
  }
  return rule.action === undefined ? result : `${result} ${rule.action}`;
}

/** IPPROTO_* that /etc/protocols names on every machine. */
const ipProtocols = new Names("IP protocol", {
  1: "icmp",
  4: "ipencap",
  6: "tcp",
  17: "udp",
  47: "gre",
  50: "esp",
  58: "ipv6-icmp",
  132: "sctp",
});

function rangeText({ low, high }: PortRange): string {
  return low === high ? String(low) : `${low}-${high}`;
}

/** `ip rule add`. The kernel refuses a rule that is there already (EEXIST). */
export function ruleAdd(rule: Rule): Request {
  return ruleRequest("add", { type: RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL }, rule);
}

/** `ip rule delete`: every selector must match. */
export function ruleDelete(rule: Rule): Request {
  return ruleRequest("delete", { type: RTM_DELRULE, flags: 0 }, rule);
}
