/** FelixConfiguration: the rules of the fields this product obeys. */

import { parsePrefix, prefixFamily } from "../../lib/index.ts";
import type { FieldError } from "../errors.ts";
import type { FelixConfiguration } from "../resource.ts";
import { FieldChecks, hasTag } from "./primitives.ts";
import type { ClientInput, RuleSet } from "./rule-set.ts";

const maximumPriority = 2_147_483_646;

function client({ resource }: ClientInput<"FelixConfiguration">): FelixConfiguration {
  return {
    ...resource,
    spec: { ...resource.spec, floatingIPs: resource.spec.floatingIPs ?? "Disabled" },
  };
}

function validate({ spec }: FelixConfiguration): readonly FieldError[] {
  const checks = new FieldChecks();
  checks.tag("selector", "NodeSelector", spec.nodeSelector);
  checks.tag("regexp", "MTUIfacePattern", spec.mtuIfacePattern);
  const { natOutgoingAddress, externalNodesList = [] } = spec;
  if (natOutgoingAddress && !hasTag("ip", natOutgoingAddress)) {
    const reason = "is not a valid IP address";
    checks.add({ name: "NATOutgoingAddress", value: natOutgoingAddress, reason });
  }
  for (const cidr of externalNodesList) {
    const name = "ExternalNodesCIDRList";
    const parsed = parsePrefix(cidr);
    if (!parsed && !hasTag("ip", cidr)) {
      checks.add({ name, value: cidr, reason: "has invalid CIDR(s)" });
    } else if (parsed ? prefixFamily(parsed) === 6 : hasTag("ipv6", cidr)) {
      checks.add({ name, value: cidr, reason: "has invalid IPv6 CIDR" });
    }
  }
  return checks.errors;
}

function schema({ spec }: FelixConfiguration): readonly FieldError[] {
  const checks = new FieldChecks();
  checks.maxLength("spec.nodeSelector", spec.nodeSelector, 1024);
  checks.range("spec.ipv4NormalRoutePriority", spec.ipv4NormalRoutePriority, [1, maximumPriority]);
  checks.pattern(
    "spec.routeRefreshInterval",
    spec.routeRefreshInterval,
    // The schema's own pattern escapes its dot twice, so that in effect no fraction passes.
    /^([0-9]+(ms|s|m|h))*$/,
    "^([0-9]+(\\\\.[0-9]+)?(ms|s|m|h))*$",
  );
  const { natOutgoingAddress: nat, deviceRouteSourceAddress: source } = spec;
  checks.require(
    !nat || hasTag("ipv4", nat),
    "spec",
    "natOutgoingAddress must be a valid IPv4 address",
  );
  checks.require(
    !source || hasTag("ipv4", source),
    "spec",
    "deviceRouteSourceAddress must be a valid IPv4 address",
  );
  return checks.errors;
}

export const felixConfigurationRules: RuleSet<"FelixConfiguration"> = { client, validate, schema };
