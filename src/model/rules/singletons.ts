/** Kinds of which only the object named `default` may exist. */

import { SwitchyardError } from "../../lib/index.ts";
import type { FieldError } from "../errors.ts";
import type { IPAMBlock, IPAMConfiguration } from "../resource.ts";
import { FieldChecks } from "./primitives.ts";
import type { RuleSet } from "./rule-set.ts";

function onlyDefault(name: string, what: string): void {
  if (name === "default") return;
  throw new SwitchyardError(
    "RESOURCE_INVALID",
    `Cannot create ${what} resource with a name other than "default"`,
  );
}

export const clusterInformationRules: RuleSet<"ClusterInformation"> = {
  client({ resource, operation }) {
    if (operation === "create") onlyDefault(resource.metadata.name, "a Cluster Information");
    return resource;
  },
};

export const ipamConfigurationRules: RuleSet<"IPAMConfiguration"> = {
  validate({ spec }: IPAMConfiguration): readonly FieldError[] {
    const { maxBlocksPerHost: value = 0 } = spec;
    if (value >= 0) return [];
    return [{ name: "MaxBlocksPerHost", value, reason: "must be greater than or equal to 0" }];
  },
  defaults(resource) {
    const { spec } = resource;
    return {
      ...resource,
      spec: {
        ...spec,
        strictAffinity: spec.strictAffinity ?? false,
        autoAllocateBlocks: spec.autoAllocateBlocks ?? true,
        maxBlocksPerHost: spec.maxBlocksPerHost ?? 0,
        ipCooldownSeconds: spec.ipCooldownSeconds ?? 0,
      },
    };
  },
  schema({ spec }) {
    const checks = new FieldChecks();
    checks.range("spec.maxBlocksPerHost", spec.maxBlocksPerHost, [0, 1_000_000]);
    checks.range("spec.ipCooldownSeconds", spec.ipCooldownSeconds, [0, 1200]);
    return checks.errors;
  },
  finish(resource) {
    onlyDefault(resource.metadata.name, "an IPAMConfiguration");
    return resource;
  },
};

export const ipamBlockRules: RuleSet<"IPAMBlock"> = {
  schema({ spec }: IPAMBlock) {
    const checks = new FieldChecks();
    checks.pattern("spec.affinity", spec.affinity, /^(host|virtual):[a-zA-Z0-9.\-_]+$/);
    checks.formatCidr("spec.cidr", spec.cidr);
    return checks.errors;
  },
};
