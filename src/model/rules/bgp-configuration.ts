/** BGPConfiguration: cluster-wide fields belong on `default` only; communities must make sense. */

import { parsePrefixOrAddress } from "../../lib/index.ts";
import { type FieldError, validationError } from "../errors.ts";
import type { BGPConfiguration } from "../resource.ts";
import { FieldChecks } from "./primitives.ts";
import type { ClientInput, RuleSet } from "./rule-set.ts";

const defaultOnly = [
  ["nodeToNodeMeshEnabled", "NodeToNodeMeshEnabled", "nodeToNodeMeshEnabled"],
  ["asNumber", "ASNumber", "ASNumber"],
  ["serviceLoadBalancerIPs", "ServiceLoadBalancerIPs", "ServiceLoadBalancerIPs"],
  ["serviceExternalIPs", "ServiceExternalIPs", "ServiceExternalIPs"],
  ["serviceClusterIPs", "ServiceClusterIPs", "ServiceClusterIPs"],
  ["nodeMeshPassword", "NodeMeshPassword", "nodeMeshPassword"],
  ["nodeMeshMaxRestartTime", "NodeMeshMaxRestartTime", "nodeMeshMaxRestartTime"],
] as const;

function client({ resource }: ClientInput<"BGPConfiguration">): BGPConfiguration {
  if (resource.metadata.name === "default") return resource;
  const errors = defaultOnly
    .filter(([field]) => resource.spec[field] !== undefined)
    .map(([, goField, shown]) => ({
      name: `BGPConfiguration.Spec.${goField}`,
      reason: `Cannot set ${shown} on a non default BGP Configuration.`,
    }));
  if (errors.length > 0) throw validationError(errors);
  return resource;
}

/** `aa:nn` of 16-bit parts or `aa:nn:mm` of 32-bit parts; undefined if it is neither's shape. */
function communityBits(value: string): { bits: 16 | 32; fits: boolean } | undefined {
  if (!/^\d+:\d+(:\d+)?$/.test(value)) return undefined;
  const parts = value.split(":").map(Number);
  const bits = parts.length === 2 ? 16 : 32;
  return { bits, fits: parts.every((part) => part < 2 ** bits) };
}

function checkCommunities(resource: BGPConfiguration, checks: FieldChecks): void {
  const { communities = [], prefixAdvertisements = [] } = resource.spec;
  for (const { name = "", value = "" } of communities) {
    if (name === "") checks.tagRequired("Name", name);
    else checks.tag("name", "Name", name);
    const field = "Spec.Communities[].Value";
    const shape = communityBits(value);
    if (!shape) {
      checks.add({ name: field, value, reason: "invalid community value or format used." });
    } else if (!shape.fits) {
      const reason = `invalid community value, expected ${shape.bits} bit value`;
      checks.add({ name: field, value, reason });
    }
  }
  const names = new Set(communities.map(({ name }) => name));
  for (const { cidr = "", communities: used = [] } of prefixAdvertisements) {
    if (!parsePrefixOrAddress(cidr)) {
      const name = "Spec.PrefixAdvertisement[].CIDR";
      checks.add({ name, value: cidr, reason: "invalid CIDR value." });
    }
    for (const value of used) {
      if (names.has(value) || communityBits(value)?.fits) continue;
      const name = "Spec.PrefixAdvertisement[].Communities[]";
      checks.add({ name, value, reason: "community used is invalid or not defined." });
    }
  }
}

function validate(resource: BGPConfiguration): readonly FieldError[] {
  const { spec } = resource;
  const checks = new FieldChecks();
  const services = [spec.serviceLoadBalancerIPs, spec.serviceExternalIPs, spec.serviceClusterIPs];
  for (const { cidr } of services.flatMap((list) => list ?? [])) checks.tag("net", "CIDR", cidr);
  checks.tagEach("ignoredInterface", "IgnoredInterfaces", spec.ignoredInterfaces);
  checks.tag("ipv4", "LocalWorkloadPeeringIPV4", spec.localWorkloadPeeringIPV4);
  checks.tag("ipv6", "LocalWorkloadPeeringIPV6", spec.localWorkloadPeeringIPV6);
  if (spec.nodeMeshPassword?.secretKeyRef?.key === "") checks.tagRequired("Key", "");
  checkCommunities(resource, checks);
  return checks.errors;
}

function defaults(resource: BGPConfiguration): BGPConfiguration {
  const { logSeverityScreen, serviceLoadBalancerAggregation, ...spec } = resource.spec;
  return {
    ...resource,
    spec: {
      ...spec,
      logSeverityScreen: logSeverityScreen || "Info",
      serviceLoadBalancerAggregation: serviceLoadBalancerAggregation ?? "Enabled",
    },
  };
}

const maximumPriority = 2_147_483_646;

function schema({ spec }: BGPConfiguration): readonly FieldError[] {
  const checks = new FieldChecks();
  checks.pattern(
    "spec.logSeverityScreen",
    spec.logSeverityScreen,
    /^(Trace|Debug|Info|Warning|Error|Fatal)?$/i,
    "^(?i)(Trace|Debug|Info|Warning|Error|Fatal)?$",
  );
  checks.range("spec.listenPort", spec.listenPort, [1, 65535]);
  checks.range("spec.ipv4NormalRoutePriority", spec.ipv4NormalRoutePriority, [1, maximumPriority]);
  checks.range("spec.ipv6NormalRoutePriority", spec.ipv6NormalRoutePriority, [1, maximumPriority]);
  checks.maxItems("spec.communities", spec.communities, 500);
  checks.maxItems("spec.prefixAdvertisements", spec.prefixAdvertisements, 500);
  for (const list of [
    "serviceLoadBalancerIPs",
    "serviceExternalIPs",
    "serviceClusterIPs",
  ] as const) {
    for (const [index, { cidr }] of (spec[list] ?? []).entries()) {
      checks.formatCidr(`spec.${list}[${index}].cidr`, cidr);
    }
  }
  const meshOff = spec.nodeToNodeMeshEnabled === false;
  for (const field of ["nodeMeshPassword", "nodeMeshMaxRestartTime"] as const) {
    const fails = meshOff && spec[field] !== undefined;
    checks.require(!fails, "spec", `${field} cannot be set when nodeToNodeMeshEnabled is false`);
  }
  const unused = (spec.communities?.length ?? 0) > 0 && !spec.prefixAdvertisements?.length;
  checks.require(!unused, "spec", "communities are defined but not used in prefixAdvertisements");
  return checks.errors;
}

export const bgpConfigurationRules: RuleSet<"BGPConfiguration"> = {
  client,
  validate,
  defaults,
  schema,
};
