/** IPPool: what a pool may say, alone; overlap with other pools is the datastore's to check. */

import {
  formatPrefix,
  isMasked,
  maskPrefix,
  type Prefix,
  parsePrefix,
  prefix,
  prefixesOverlap,
  prefixFamily,
} from "../../lib/index.ts";
import { type FieldError, validationError } from "../errors.ts";
import type { IPPoolSpec } from "../kinds/ip-pool.ts";
import type { IPPool } from "../resource.ts";
import { FieldChecks } from "./primitives.ts";
import type { ClientInput, RuleSet } from "./rule-set.ts";

const cidrField = "IPPool.Spec.CIDR";
const linkLocal4 = prefix("169.254.0.0/16");
const linkLocal6 = prefix("fe80::/10");

function defaultBlockSize(cidr: Prefix | undefined): number {
  return cidr && prefixFamily(cidr) === 6 ? 122 : 26;
}

/** What readers see when the stored pool says nothing. Calico's readers do the same. */
function withDefaults(spec: IPPoolSpec): IPPoolSpec {
  const { allowedUses } = spec;
  return {
    ...spec,
    vxlanMode: spec.vxlanMode ?? "Never",
    ipipMode: spec.ipipMode ?? "Never",
    blockSize: spec.blockSize || defaultBlockSize(parsePrefix(spec.cidr)),
    nodeSelector: spec.nodeSelector || "all()",
    allowedUses: allowedUses?.length ? allowedUses : ["Workload", "Tunnel"],
    assignmentMode: spec.assignmentMode ?? "Automatic",
  };
}

export function applyReadDefaults(pool: IPPool): IPPool {
  return { ...pool, spec: withDefaults(pool.spec) };
}

/** The same network, in the text it is stored in, counts as unchanged. */
function sameCidr(old: string, cidr: string): boolean {
  const before = parsePrefix(old);
  return old === cidr || (before !== undefined && formatPrefix(maskPrefix(before)) === cidr);
}

function changes(input: ClientInput<"IPPool">, spec: IPPoolSpec): FieldError[] {
  const old = input.existing && withDefaults(input.existing.spec);
  if (!old) return [];
  if (old.allowedUses?.includes("LoadBalancer")) {
    if (spec.allowedUses?.some((use) => use !== "LoadBalancer")) {
      throw validationError([
        {
          name: "IPPool.Spec.AllowedUses",
          value: spec.allowedUses,
          // Calico's own spelling, which scripts may match.
          reason: "IPPool allowed use cannot be changed from LoadBalacer to Workload or Tunnel",
        },
      ]);
    }
  }
  const errors: FieldError[] = [];
  if (!sameCidr(old.cidr, spec.cidr)) {
    const reason = "IPPool CIDR cannot be modified";
    errors.push({ name: cidrField, value: spec.cidr, reason });
  }
  if (old.blockSize !== spec.blockSize) {
    errors.push({
      name: "IPPool.Spec.BlockSize",
      value: spec.blockSize,
      reason: "IPPool BlockSize cannot be modified",
    });
  }
  return errors;
}

/** One error per pool that is overlapped, disabled ones included. */
function overlaps(input: ClientInput<"IPPool">, cidr: Prefix): FieldError[] {
  if (input.operation !== "create") return [];
  const { name } = input.resource.metadata;
  const value = formatPrefix(cidr);
  return input.pools
    .filter((other) => {
      const taken = parsePrefix(other.spec.cidr);
      // The name being taken already is another error, which the store knows how to word.
      return other.metadata.name !== name && taken && prefixesOverlap(taken, cidr);
    })
    .map((other) => ({
      name: cidrField,
      value,
      reason: `IPPool(${name}) CIDR overlaps with IPPool(${other.metadata.name}) CIDR ${other.spec.cidr}`,
    }));
}

function client(input: ClientInput<"IPPool">): IPPool {
  const { resource } = input;
  const text = resource.spec.cidr;
  if (text === "") {
    throw validationError([{ name: cidrField, reason: "IPPool CIDR must be specified" }]);
  }
  const given = parsePrefix(text);
  if (!given) {
    const reason = "IPPool CIDR must be a valid subnet";
    throw validationError([{ name: cidrField, value: text, reason }]);
  }
  const cidr = formatPrefix(maskPrefix(given));
  const spec = withDefaults({ ...resource.spec, cidr });
  const errors = [...changes(input, spec), ...overlaps(input, maskPrefix(given))];
  if (!isMasked(given)) {
    errors.push({ name: cidrField, value: cidr, reason: "IPPool CIDR is not strictly masked" });
  }
  if (errors.length > 0) throw validationError(errors);
  return { ...resource, spec };
}

function validate(pool: IPPool): FieldError[] {
  const checks = new FieldChecks();
  checks.tag("selector", "NodeSelector", pool.spec.nodeSelector);
  checks.tag("selector", "NamespaceSelector", pool.spec.namespaceSelector);
  return checks.errors;
}

function schema(pool: IPPool): FieldError[] {
  const { spec } = pool;
  const checks = new FieldChecks();
  const cidr = parsePrefix(spec.cidr)!;
  const ipv6 = prefixFamily(cidr) === 6;
  const ipip = spec.ipipMode !== "Never";
  const vxlan = spec.vxlanMode !== "Never";
  const uses = spec.allowedUses ?? [];
  const { blockSize = 0, nodeSelector = "", namespaceSelector = "" } = spec;
  const rule = (fails: boolean, message: string) => checks.require(!fails, "spec", message);

  checks.maxLength("spec.cidr", spec.cidr, 48);
  checks.maxLength("spec.nodeSelector", nodeSelector, 1024);
  checks.maxLength("spec.namespaceSelector", namespaceSelector, 1024);
  checks.maxItems("spec.allowedUses", uses, 10);
  checks.range("spec.blockSize", blockSize, [0, 128]);
  rule(ipip && vxlan, "ipipMode and vxlanMode cannot both be enabled");
  rule(
    uses.includes("LoadBalancer") && (ipip || vxlan),
    "LoadBalancer IP pool cannot have IPIP or VXLAN enabled",
  );
  rule(
    uses.includes("LoadBalancer") && (uses.includes("Workload") || uses.includes("Tunnel")),
    "LoadBalancer cannot be combined with Workload or Tunnel allowed uses",
  );
  rule(ipv6 && ipip, "IPIP is not supported on IPv6 pools");
  rule(
    uses.includes("Tunnel") && namespaceSelector !== "",
    "IP Pool with AllowedUse Tunnel cannot have namespaceSelector",
  );
  for (const [field, text] of Object.entries({ nodeSelector, namespaceSelector })) {
    rule(text.includes("global("), `global() selector is not valid for IPPool ${field}`);
  }
  rule(
    prefixesOverlap(cidr, linkLocal4),
    "IPPool CIDR overlaps with IPv4 link local range 169.254.0.0/16",
  );
  rule(
    prefixesOverlap(cidr, linkLocal6),
    "IPPool CIDR overlaps with IPv6 link local range fe80::/10",
  );
  const [smallest, largest] = ipv6 ? [116, 128] : [20, 32];
  rule(
    blockSize !== 0 && (blockSize < smallest || blockSize > largest),
    "blockSize must be between 20 and 32 for IPv4 pools, and between 116 and 128 for IPv6 pools",
  );
  rule(
    !spec.disabled && cidr.length > blockSize,
    "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size.",
  );
  return checks.errors;
}

export const ipPoolRules: RuleSet<"IPPool"> = { client, validate, schema };
