/** What the BGPFilters of a peer make of the blocks of a pool, as far as resources say it for sure. Pure. */

import {
  bitsOf,
  type Prefix,
  parsePrefix,
  prefixCovers,
  prefixesOverlap,
} from "../../lib/index.ts";
import type { BGPFilter, BGPFilterRule } from "../../model/index.ts";

export interface BlocksOf {
  readonly cidr: Prefix;
  readonly blockLength: number;
  readonly direction: "import" | "export";
}

/** The filter and rule by which every block is refused; undefined if some may pass. A filter that is missing is passed over. */
export function refusingRule(
  names: readonly string[],
  filters: readonly BGPFilter[],
  blocks: BlocksOf,
): string | undefined {
  const family = typeof blocks.cidr.address === "number" ? 4 : 6;
  const field = `${blocks.direction}V${family}` as const;
  for (const name of names) {
    const rules = filters.find(({ metadata }) => metadata.name === name)?.spec[field] ?? [];
    for (const [index, rule] of rules.entries()) {
      const matches = matching(rule, blocks);
      if (matches === "none") continue;
      if (rule.action === "Accept") return undefined;
      if (matches === "all") return `${field}[${index}] of BGPFilter ${name}`;
    }
  }
  return undefined;
}

/** Of the pool's blocks; `some`: it depends on what resources do not say. */
function matching(rule: BGPFilterRule, blocks: BlocksOf): "all" | "some" | "none" {
  const { source, interface: device, peerType, communities, asPathPrefix, priority } = rule;
  // An own block was told by nobody, and leaves by no interface.
  if (blocks.direction === "export" && (source || device)) return "none";
  const within = matchingPrefixes(rule, blocks);
  const more = [source, device, peerType, communities, asPathPrefix, priority];
  return within === "all" && more.some((one) => one !== undefined) ? "some" : within;
}

function matchingPrefixes(
  { cidr: text, matchOperator = "In", prefixLength = {} }: BGPFilterRule,
  { cidr, blockLength }: BlocksOf,
): "all" | "some" | "none" {
  if (!text) return "all";
  const prefix = parsePrefix(text);
  if (!prefix) return "some";
  const { min = prefix.length, max = bitsOf(typeof cidr.address === "number" ? 4 : 6) } =
    prefixLength;
  const exact = matchOperator === "Equal" || matchOperator === "NotEqual";
  const lengthFits =
    blockLength >= Math.max(prefix.length, min) &&
    blockLength <= (exact ? Math.min(prefix.length, max) : max);
  const one = exact && cidr.length !== blockLength;
  const inside =
    !lengthFits || !prefixesOverlap(prefix, cidr)
      ? "none"
      : prefixCovers(prefix, cidr) && !one
        ? "all"
        : "some";
  if (matchOperator === "In" || matchOperator === "Equal") return inside;
  return inside === "all" ? "none" : inside === "none" ? "all" : "some";
}
