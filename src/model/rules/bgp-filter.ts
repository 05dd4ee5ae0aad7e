/** BGPFilter: what a rule may ask, and what it may do. */

import { parseCommunity } from "../community.ts";
import type { FieldError } from "../errors.ts";
import type { BGPFilterOperation, BGPFilterRule } from "../kinds/bgp-filter.ts";
import type { BGPFilter } from "../resource.ts";
import { FieldChecks } from "./primitives.ts";
import type { RuleSet } from "./rule-set.ts";

const lists = [
  { field: "exportV4", family: "V4", bits: 32, characters: 18 },
  { field: "importV4", family: "V4", bits: 32, characters: 18 },
  { field: "exportV6", family: "V6", bits: 128, characters: 43 },
  { field: "importV6", family: "V6", bits: 128, characters: 43 },
] as const;

type List = (typeof lists)[number];

const maximumPriority = 2_147_483_646;

function validate({ spec }: BGPFilter): readonly FieldError[] {
  const checks = new FieldChecks();
  for (const list of lists) {
    for (const rule of spec[list.field] ?? []) checkRule(rule, list, checks);
  }
  return checks.errors;
}

function checkRule(rule: BGPFilterRule, { family, bits }: List, checks: FieldChecks): void {
  checks.tag(family === "V4" ? "netv4" : "netv6", "CIDR", rule.cidr);
  const { min, max } = rule.prefixLength ?? {};
  const lengths: [string, number | undefined][] = [
    ["Min", min],
    ["Max", max],
  ];
  for (const [field, length] of lengths) {
    if (length === undefined || (length >= 0 && length <= bits)) continue;
    checks.tagFailure(`bgpFilterPrefixLength${family}`, field, length);
  }
  checks.tag("bgpFilterInterface", "Interface", rule.interface);
  if (rule.action === undefined) checks.tagRequired("Action", "");
}

function schema({ spec }: BGPFilter): readonly FieldError[] {
  const checks = new FieldChecks();
  for (const list of lists) {
    const { field } = list;
    const rules = spec[field] ?? [];
    for (const [index, rule] of rules.entries()) {
      checkShape(rule, { path: `spec.${field}[${index}]`, checks, list });
    }
    const imports = field.startsWith("import");
    const told = imports && rules.some(({ source }) => source !== undefined);
    checks.require(!told, `spec.${field}`, "source is not applicable to import rules");
  }
  return checks.errors;
}

function checkShape(
  rule: BGPFilterRule,
  at: { readonly path: string; readonly checks: FieldChecks; readonly list: List },
): void {
  const { path, checks, list } = at;
  const { cidr, matchOperator, communities, operations } = rule;
  checks.maxLength(`${path}.cidr`, cidr, list.characters);
  checks.formatCidr(`${path}.cidr`, cidr);
  checks.range(`${path}.priority`, rule.priority, [1, maximumPriority]);
  if (communities) {
    const { values = [] } = communities;
    checks.minItems(`${path}.communities.values`, values, 1);
    checks.maxItems(`${path}.communities.values`, values, 1);
    for (const [index, value] of values.entries()) {
      checkCommunity(`${path}.communities.values[${index}]`, value, checks);
    }
  }
  if (operations) {
    checks.minItems(`${path}.operations`, operations, 1);
    checks.maxItems(`${path}.operations`, operations, 10);
    for (const [index, operation] of operations.entries()) {
      checkOperation(operation, `${path}.operations[${index}]`, checks);
    }
  }
  const paired = Boolean(cidr) === Boolean(matchOperator);
  checks.require(paired, path, "cidr and matchOperator must both be set or both be empty");
  const lengthAlone = rule.prefixLength !== undefined && !cidr;
  checks.require(!lengthAlone, path, "cidr is required when prefixLength is set");
  const changed = (operations?.length ?? 0) > 0;
  const onlyAccepts = "operations may only be used with action Accept";
  checks.require(!changed || rule.action === "Accept", path, onlyAccepts);
}

function checkOperation(operation: BGPFilterOperation, path: string, checks: FieldChecks): void {
  const { addCommunity, prependASPath, setPriority } = operation;
  const set = [addCommunity, prependASPath, setPriority].filter((each) => each !== undefined);
  checks.require(set.length === 1, path, "exactly one operation must be set");
  if (addCommunity) {
    checkCommunity(`${path}.addCommunity.value`, addCommunity.value ?? "", checks);
  }
  if (prependASPath) {
    const { prefix = [] } = prependASPath;
    checks.minItems(`${path}.prependASPath.prefix`, prefix, 1);
    checks.maxItems(`${path}.prependASPath.prefix`, prefix, 10);
    const zero = prefix.includes(0);
    checks.require(!zero, `${path}.prependASPath.prefix`, "AS 0 cannot stand in a path (RFC 7607)");
  }
  if (setPriority) {
    const { value = 0 } = setPriority;
    checks.range(`${path}.setPriority.value`, value, [1, maximumPriority]);
  }
}

function checkCommunity(path: string, value: string, checks: FieldChecks): void {
  const reason = `${path} in body should be a community, aa:nn of 16 bits or aa:nn:mm of 32 bits each`;
  checks.require(parseCommunity(value) !== undefined, path, reason);
}

export const bgpFilterRules: RuleSet<"BGPFilter"> = { validate, schema };
