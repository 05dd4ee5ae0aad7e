/** Policy rules made ready to be asked once per route: numbers compared, nothing allocated. */

import { bitsOf, type Ipv6, maskAddress, maskPrefix, prefixFamily } from "../../lib/index.ts";
import type { PolicyRule } from "../types.ts";
import type { PrefixKey } from "../wire/index.ts";

export type RouteSource = NonNullable<PolicyRule["source"]>;

/** The first rule that matches; `undefined` when none does, which accepts. */
export type Policy = (key: PrefixKey, source: RouteSource) => PolicyRule | undefined;

type Matcher = (key: PrefixKey) => boolean;

export function compilePolicy(rules: readonly PolicyRule[] = []): Policy {
  const compiled = rules.map((rule) => ({ rule, matchers: rule.prefixes?.map(compilePrefix) }));
  if (compiled.length === 0) return () => undefined;
  return (key, source) => {
    for (const { rule, matchers } of compiled) {
      if (rule.source !== undefined && rule.source !== source) continue;
      if (matchers === undefined || matchers.some((matches) => matches(key))) return rule;
    }
    return undefined;
  };
}

function compilePrefix(entry: NonNullable<PolicyRule["prefixes"]>[number]): Matcher {
  const { address, length } = maskPrefix(entry.prefix);
  const shortest = Math.max(length, entry.minimumLength ?? length);
  const longest = entry.maximumLength ?? bitsOf(prefixFamily(entry.prefix));
  if (typeof address === "number") {
    const span = 2 ** (32 - length);
    const base = Math.floor(address / span);
    return (key) => {
      if (typeof key !== "number") return false;
      const bits = key % 64;
      if (bits < shortest || bits > longest) return false;
      return Math.floor((key - bits) / 64 / span) === base;
    };
  }
  return (key) => {
    if (typeof key !== "bigint") return false;
    const bits = Number(key & 255n);
    if (bits < shortest || bits > longest) return false;
    return maskAddress((key >> 8n) as Ipv6, length) === address;
  };
}
