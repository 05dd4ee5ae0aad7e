/** What is wrong with a policy, before anybody relies on it. */

import { bitsOf, prefixFamily } from "../../lib/index.ts";
import type { LargeCommunity } from "../types.ts";
import type { ListChanges, PolicyRule, PrefixMatch } from "./rule.ts";

const MAXIMUM_UINT32 = 0xffffffff;
/** So that a path fits in a message whatever is before it. */
const MAXIMUM_PREPENDED = 255;

/** Many peers have one policy: it is looked at once. */
const good = new WeakSet<readonly PolicyRule[]>();

/** The field and what is wrong with it; `undefined` when nothing is. */
export function policyProblem(rules: readonly PolicyRule[] = []): string | undefined {
  if (good.has(rules)) return undefined;
  for (const [index, rule] of rules.entries()) {
    const problem = ruleProblem(rule);
    if (problem !== undefined) return `rule ${index}: ${problem}`;
  }
  good.add(rules);
  return undefined;
}

function ruleProblem({ set = {}, ...rule }: PolicyRule): string | undefined {
  const numbers: [field: string, values: readonly number[], lowest: number][] = [
    ["communities", [...(rule.communities ?? []), ...listed(set.communities)], 0],
    [
      "largeCommunities",
      [...(rule.largeCommunities ?? []), ...listed(set.largeCommunities)].flat(),
      0,
    ],
    ["asPathPrefix", rule.asPathPrefix ?? [], 1],
    ["asPathContains", rule.asPathContains ?? [], 1],
    ["set.prependAsPath", set.prependAsPath ?? [], 1],
    ["localPref", present(rule.localPref, set.localPref), 0],
    ["set.med", present(set.med), 0],
  ];
  for (const [field, values, lowest] of numbers) {
    const wrong = values.find((value) => !isWhole(value, lowest, MAXIMUM_UINT32));
    if (wrong !== undefined)
      return `${field}: ${wrong} is not a whole number from ${lowest} to ${MAXIMUM_UINT32}`;
  }
  if ((set.prependAsPath?.length ?? 0) > MAXIMUM_PREPENDED) {
    return `set.prependAsPath: more than ${MAXIMUM_PREPENDED} numbers`;
  }
  for (const entry of [...(rule.prefixes ?? []), ...(rule.notPrefixes ?? [])]) {
    const wrong = lengthProblem(entry);
    if (wrong !== undefined) return `prefixes: ${wrong}`;
  }
  return undefined;
}

function lengthProblem({ prefix, minimumLength, maximumLength }: PrefixMatch): string | undefined {
  const bits = bitsOf(prefixFamily(prefix));
  const wrong = present(minimumLength, maximumLength).find((length) => !isWhole(length, 0, bits));
  return wrong === undefined ? undefined : `a length of ${wrong}; there are 0 to ${bits}`;
}

function listed<T extends number | LargeCommunity>(changes: ListChanges<T> = {}): readonly T[] {
  const { replace = [], remove = [], add = [] } = changes;
  return [...replace, ...remove, ...add];
}

function present(...values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

function isWhole(value: number, lowest: number, highest: number): boolean {
  return Number.isInteger(value) && value >= lowest && value <= highest;
}
