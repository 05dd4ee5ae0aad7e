/** The rules of one BGPFilter, one direction and family, as the speaker's policy. */

import type { LargeCommunity, PolicyRule, PrefixMatch, RouteChanges } from "../../bgp/index.ts";
import { bitsOf, type Family, type Prefix, parsePrefix, prefixFamily } from "../../lib/index.ts";
import { type BGPFilterRule, parseCommunity } from "../../model/index.ts";

export type Direction = "import" | "export";

export interface FilterContext {
  readonly direction: Direction;
  readonly family: Family;
  /** Next hops that are reached through an interface of such a name. */
  readonly regions: (glob: string) => readonly Prefix[];
}

/** What LOCAL_PREF and a route's priority, the kernel's metric, add up to in Calico's BIRD. */
const PRIORITY_SUM = 2_147_483_647;

export function localPrefOf(priority: number): number {
  return PRIORITY_SUM - priority;
}

/** @throws RangeError for what cannot be understood. */
export function filterRule(rule: BGPFilterRule, context: FilterContext): PolicyRule[] {
  const { action, source, peerType, asPathPrefix, priority } = rule;
  if (action !== "Accept" && action !== "Reject") throw new RangeError(`bad action ${action}`);
  const set = changesOf(rule);
  const common: PolicyRule = {
    ...prefixesOf(rule, context.family),
    ...(source && { source: "learned" }),
    ...(peerType && { peerType: peerType === "eBGP" ? "ebgp" : "ibgp" }),
    ...communitiesOf(rule.communities?.values ?? []),
    ...(asPathPrefix?.length && { asPathPrefix: asPathPrefix.map(Number) }),
    ...(priority !== undefined && { localPref: localPrefOf(priority) }),
    action: action === "Accept" ? "accept" : "reject",
    ...(set && { set }),
  };
  return rule.interface ? throughInterface(common, rule.interface, context) : [common];
}

/** Of a learned route the way to its next hop counts, of an own one its pod's interface; a block has none. */
function throughInterface(
  rule: PolicyRule,
  glob: string,
  { direction, regions }: FilterContext,
): PolicyRule[] {
  const learned: PolicyRule = { ...rule, source: "learned", nextHops: regions(glob) };
  if (direction === "import" || rule.source === "learned") return [learned];
  return [learned, { ...rule, source: "originated", devices: [glob] }];
}

function prefixesOf(
  { cidr, matchOperator = "In", prefixLength = {} }: BGPFilterRule,
  family: Family,
): Pick<PolicyRule, "prefixes" | "notPrefixes"> {
  if (!cidr) return {};
  const prefix = parsePrefix(cidr);
  if (!prefix || prefixFamily(prefix) !== family) throw new RangeError(`bad cidr ${cidr}`);
  const { min = prefix.length, max = bitsOf(family) } = prefixLength;
  const exact = matchOperator === "Equal" || matchOperator === "NotEqual";
  const minimumLength = Math.max(prefix.length, min);
  const maximumLength = exact ? Math.min(prefix.length, max) : max;
  const match: PrefixMatch = { prefix, minimumLength, maximumLength };
  const negated = matchOperator === "NotEqual" || matchOperator === "NotIn";
  return negated ? { notPrefixes: [match] } : { prefixes: [match] };
}

/** @throws RangeError */
export function communitiesOf(
  texts: readonly string[],
): Pick<PolicyRule, "communities" | "largeCommunities"> {
  const communities: number[] = [];
  const largeCommunities: LargeCommunity[] = [];
  for (const text of texts) {
    const [first = 0, second = 0, third] = parseCommunity(text) ?? [];
    if (!parseCommunity(text)) throw new RangeError(`bad community ${text}`);
    if (third === undefined) communities.push(first * 65_536 + second);
    else largeCommunities.push([first, second, third]);
  }
  return {
    ...(communities.length > 0 && { communities }),
    ...(largeCommunities.length > 0 && { largeCommunities }),
  };
}

/** Operations are done in their order: of two that prepend, the second stands first in the path. */
function changesOf({ operations = [] }: BGPFilterRule): RouteChanges | undefined {
  if (operations.length === 0) return undefined;
  let path: number[] = [];
  let localPref: number | undefined;
  const texts: string[] = [];
  for (const { addCommunity, prependASPath, setPriority } of operations) {
    if (addCommunity?.value) texts.push(addCommunity.value);
    if (prependASPath?.prefix) path = [...prependASPath.prefix.map(Number), ...path];
    if (setPriority?.value) localPref = localPrefOf(setPriority.value);
  }
  const { communities, largeCommunities } = communitiesOf(texts);
  return {
    ...(communities && { communities: { add: communities } }),
    ...(largeCommunities && { largeCommunities: { add: largeCommunities } }),
    ...(path.length > 0 && { prependAsPath: path }),
    ...(localPref !== undefined && { localPref }),
  };
}
