/**
 * A policy made ready to be asked once per route. What depends on the session or on the kind of route is
 * decided beforehand; where nothing is to be changed nothing is allocated.
 */

import { isIpv4 } from "../../lib/index.ts";
import type { PrefixKey } from "../wire/index.ts";
import { type Condition, compileConditions, type PolicyRoute } from "./conditions.ts";
import { PrefixSet } from "./prefix-set.ts";
import type { PolicyRule, PrefixMatch, RouteChanges, RouteSource } from "./rule.ts";

export { changeAttributes } from "./changes.ts";
export { policyProblem } from "./check.ts";
export type { PolicyRoute } from "./conditions.ts";
export type * from "./rule.ts";

/** The route as a rule changes it; the identical object each time for the same two. */
export type Change<R> = (route: R, changes: RouteChanges) => R;

interface CompiledRule {
  /** Among the policy's rules. */
  readonly place: number;
  readonly prefixes: PrefixSet | undefined;
  readonly notPrefixes: PrefixSet | undefined;
  readonly conditions: readonly Condition[];
  readonly action: PolicyRule["action"];
  readonly changes: RouteChanges | undefined;
}

type Family = 4 | 6;

export class Policy {
  readonly #ipv4: Readonly<Record<RouteSource, readonly CompiledRule[]>>;
  readonly #ipv6: Readonly<Record<RouteSource, readonly CompiledRule[]>>;

  constructor(rules: readonly PolicyRule[], peerType: "ibgp" | "ebgp") {
    this.#ipv4 = bySource({ rules, peerType, family: 4 });
    this.#ipv6 = bySource({ rules, peerType, family: 6 });
  }

  /** The route as it passes; `undefined` for one that does not. */
  apply<R extends PolicyRoute>(
    key: PrefixKey,
    source: RouteSource,
    route: R,
    change: Change<R>,
  ): R | undefined {
    const passing = this.#ask(key, source, route, change);
    return typeof passing === "number" ? undefined : passing;
  }

  /** The place among the rules of the one that rejects it; `undefined` for one that passes. */
  rejecting<R extends PolicyRoute>(
    asked: { readonly key: PrefixKey; readonly source: RouteSource; readonly route: R },
    change: Change<R>,
  ): number | undefined {
    const passing = this.#ask(asked.key, asked.source, asked.route, change);
    return typeof passing === "number" ? passing : undefined;
  }

  /** The place of the rule that rejects the route, else the route. Four parameters: no object per route. */
  #ask<R extends PolicyRoute>(
    key: PrefixKey,
    source: RouteSource,
    route: R,
    change: Change<R>,
  ): R | number {
    const rules = (typeof key === "number" ? this.#ipv4 : this.#ipv6)[source];
    let passing = route;
    for (let at = 0; at < rules.length; at++) {
      const { prefixes, notPrefixes, conditions, action, changes, place } = rules[at]!;
      if (prefixes !== undefined && !prefixes.has(key)) continue;
      if (notPrefixes?.has(key)) continue;
      if (conditions.length > 0 && !holds(conditions, passing)) continue;
      if (action === "reject") return place;
      if (changes !== undefined) passing = change(passing, changes);
      if (action === "accept") return passing;
    }
    return passing;
  }
}

function holds(conditions: readonly Condition[], route: PolicyRoute): boolean {
  for (let at = 0; at < conditions.length; at++) if (!conditions[at]!(route)) return false;
  return true;
}

type Policies = Record<"ibgp" | "ebgp", Policy | undefined>;

/** Many peers have one policy: it is compiled once for those of a type. */
const compiled = new WeakMap<readonly PolicyRule[], Policies>();
const compiledPrefixes = new WeakMap<readonly PrefixMatch[], PrefixSet>();

const noRules: readonly PolicyRule[] = [];

export function compilePolicy(
  rules: readonly PolicyRule[] | undefined,
  peerType: "ibgp" | "ebgp",
): Policy {
  const list = rules ?? noRules;
  let known = compiled.get(list);
  if (known === undefined) {
    known = { ibgp: undefined, ebgp: undefined };
    compiled.set(list, known);
  }
  known[peerType] ??= new Policy(list, peerType);
  return known[peerType];
}

function compilePrefixes(entries: readonly PrefixMatch[]): PrefixSet {
  let set = compiledPrefixes.get(entries);
  if (set === undefined) {
    set = new PrefixSet(entries);
    compiledPrefixes.set(entries, set);
  }
  return set;
}

interface Session {
  readonly rules: readonly PolicyRule[];
  readonly peerType: "ibgp" | "ebgp";
  readonly family: Family;
}

function bySource(session: Session): Record<RouteSource, readonly CompiledRule[]> {
  return {
    originated: compileRules(session, "originated"),
    ibgp: compileRules(session, "ibgp"),
    ebgp: compileRules(session, "ebgp"),
  };
}

/** The rules that such a route may match, up to the first that decides whatever it is. */
function compileRules({ rules, peerType, family }: Session, source: RouteSource): CompiledRule[] {
  const made: CompiledRule[] = [];
  for (const [place, rule] of rules.entries()) {
    if ((rule.peerType ?? peerType) !== peerType || !concerns(rule, source)) continue;
    const prefixes = rule.prefixes && compilePrefixes(rule.prefixes);
    if (prefixes?.isEmpty(family)) continue;
    const not = rule.notPrefixes && compilePrefixes(rule.notPrefixes);
    const notPrefixes = not?.isEmpty(family) ? undefined : not;
    const conditions = compileConditions(rule);
    const { action } = rule;
    made.push({
      place,
      prefixes,
      notPrefixes,
      conditions,
      action,
      changes: changesOf(rule, family),
    });
    const always = !prefixes && !notPrefixes && conditions.length === 0;
    if (always && action !== "continue") break;
  }
  return made;
}

function concerns({ source: wanted, devices, nextHops }: PolicyRule, source: RouteSource): boolean {
  const originated = source === "originated";
  if (originated ? nextHops !== undefined : devices !== undefined) return false;
  return wanted === undefined || wanted === source || (wanted === "learned" && !originated);
}

/** An IPv6 route has no IPv4 next hop. */
function changesOf({ set }: PolicyRule, family: Family): RouteChanges | undefined {
  if (set === undefined || Object.keys(set).length === 0) return undefined;
  if (family === 4 || set.nextHop === undefined || !isIpv4(set.nextHop)) return set;
  const { nextHop: _, ...rest } = set;
  return rest;
}
