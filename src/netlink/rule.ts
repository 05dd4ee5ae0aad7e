/** RTM_NEWRULE and RTM_DELRULE: policy routing rules (linux/fib_rules.h). */

import { bitsOf, type Family, formatPrefix, type IpAddress, type Prefix } from "../lib/index.ts";
import { attributeTable } from "./attribute.ts";
import { address, text, u8, u32 } from "./codecs.ts";
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
import type { Request, Rule } from "./types.ts";
import { build } from "./writer.ts";

const attributes = attributeTable("FRA", {
  destination: [1, "FRA_DST", address],
  source: [2, "FRA_SRC", address],
  inputInterface: [3, "FRA_IIFNAME", text],
  priority: [6, "FRA_PRIORITY", u32],
  mark: [10, "FRA_FWMARK", u32],
  suppressPrefixLength: [14, "FRA_SUPPRESS_PREFIXLEN", u32],
  table: [15, "FRA_TABLE", u32],
  mask: [16, "FRA_FWMASK", u32],
  outputInterface: [17, "FRA_OIFNAME", text],
  protocol: [21, "FRA_PROTOCOL", u8],
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
  const suppress = values.suppressPrefixLength;
  return defined({
    family,
    priority: values.priority ?? 0,
    table: values.table ?? view.getUint8(start + 4),
    action: action === "table" ? undefined : action,
    source: prefix(values.source, view.getUint8(start + 2)),
    destination: prefix(values.destination, view.getUint8(start + 1)),
    mark: values.mark,
    mask: values.mask,
    invert: (view.getUint32(start + 8, true) & FIB_RULE_INVERT) !== 0 || undefined,
    inputInterface: values.inputInterface,
    outputInterface: values.outputInterface,
    // The kernel says -1 for "none".
    suppressPrefixLength: suppress === 0xffff_ffff ? undefined : suppress,
    protocol: values.protocol,
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
    writer.u8(0); // tos
    writer.u8(rule.table < 256 ? rule.table : 0);
    writer.u16(0);
    writer.u8(actions.number(rule.action ?? "table"));
    writer.u32(rule.invert ? FIB_RULE_INVERT : 0);
    attributes.encode(writer, {
      destination: rule.destination?.address,
      source: rule.source?.address,
      inputInterface: rule.inputInterface,
      priority: rule.priority,
      mark: rule.mark,
      suppressPrefixLength: rule.suppressPrefixLength,
      table: rule.table,
      mask: rule.mask,
      outputInterface: rule.outputInterface,
      protocol: rule.protocol,
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
  if (rule.mark !== undefined) {
    const masked = rule.mask !== undefined && rule.mask !== 0xffff_ffff;
    result += ` fwmark ${hex(rule.mark)}${masked ? `/${hex(rule.mask!)}` : ""}`;
  }
  if (rule.inputInterface !== undefined) result += ` iif ${rule.inputInterface}`;
  if (rule.outputInterface !== undefined) result += ` oif ${rule.outputInterface}`;
  return `${result} ${rule.action ?? `lookup ${routeTables.name(rule.table)}`}`;
}

/** `ip rule add`. The kernel refuses a rule that is there already (EEXIST). */
export function ruleAdd(rule: Rule): Request {
  return ruleRequest("add", { type: RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL }, rule);
}

/** `ip rule delete`: every selector must match. */
export function ruleDelete(rule: Rule): Request {
  return ruleRequest("delete", { type: RTM_DELRULE, flags: 0 }, rule);
}
