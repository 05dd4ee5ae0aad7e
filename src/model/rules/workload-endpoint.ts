/** WorkloadEndpoint: its name follows from what it identifies; its addresses are single ones. */

import {
  bitsOf,
  familyOf,
  parseAddress,
  parsePrefixOrAddress,
  prefixContains,
  prefixFamily,
} from "../../lib/index.ts";
import { type FieldError, validationError } from "../errors.ts";
import type { WorkloadEndpoint } from "../resource.ts";
import { workloadEndpointName } from "../workload-endpoint-name.ts";
import { FieldChecks } from "./primitives.ts";
import type { ClientInput, RuleSet } from "./rule-set.ts";

function client({ resource }: ClientInput<"WorkloadEndpoint">): WorkloadEndpoint {
  const expected = workloadEndpointName(resource.spec);
  const { name } = resource.metadata;
  if (name === "") return { ...resource, metadata: { ...resource.metadata, name: expected } };
  if (name === expected) return resource;
  throw validationError([
    {
      name: "Name",
      value: name,
      reason: `the WorkloadEndpoint name does not match the primary identifiers assigned in the Spec: expected name ${expected}`,
    },
  ]);
}

function checkAddresses({ spec }: WorkloadEndpoint, checks: FieldChecks): void {
  const networks = (spec.ipNetworks ?? []).map((text) => ({
    text,
    net: parsePrefixOrAddress(text),
  }));
  for (const { text, net } of networks) {
    if (!net) checks.add({ name: "IPNetworks", value: text, reason: "invalid CIDR" });
    else if (net.length !== bitsOf(prefixFamily(net))) {
      const reason = "IP network contains multiple addresses";
      checks.add({ name: "IPNetworks", value: spec.ipNetworks, reason });
    }
  }
  let outside = false;
  for (const { internalIP, externalIP } of spec.ipNATs ?? []) {
    const [internal, external] = [parseAddress(internalIP), parseAddress(externalIP)];
    const add = (reason: string) => checks.add({ name: "IPNATs", value: internalIP, reason });
    if (internal === undefined || external === undefined) {
      add("invalid IP address");
      continue;
    }
    if (familyOf(internal) !== familyOf(external)) add("mismatched IP versions");
    outside ||= !networks.some(({ net }) => net && prefixContains(net, internal));
  }
  if (outside) {
    const reason = "NAT is not in the endpoint networks";
    checks.add({ name: "IPNATs", value: spec.ipNATs, reason });
  }
  for (const [family, field] of [
    [4, "ipv4Gateway"],
    [6, "ipv6Gateway"],
  ] as const) {
    const value = spec[field];
    const address = parseAddress(value ?? "");
    if (!value || (address !== undefined && familyOf(address) === family)) continue;
    const name = family === 4 ? "IPv4Gateway" : "IPv6Gateway";
    checks.add({ name, value, reason: `invalid IPv${family} gateway address specified` });
  }
}

const protocolsWithPorts = ["TCP", "UDP", "SCTP"];

function checkPorts({ spec }: WorkloadEndpoint, checks: FieldChecks): void {
  for (const { name = "", protocol, port, hostPort = 0 } of spec.ports ?? []) {
    if (port === 0)
      checks.add({
        name: "Port",
        value: port,
        reason: "port range invalid, port number must be between 1 and 65535",
      });
    const named = typeof protocol === "string" && protocolsWithPorts.includes(protocol);
    // 6, 17 and 132 are the numbers of TCP, UDP and SCTP.
    if (!named && ![6, 17, 132].includes(Number(protocol))) {
      checks.add({
        name: "WorkloadEndpointPort.Protocol",
        value: protocol,
        reason: "WorkloadEndpointPort protocol does not support ports.",
      });
    }
    if (name === "" && hostPort === 0) {
      checks.add({
        name: "WorkloadEndpointPort.Name",
        value: name,
        reason: "WorkloadEndpointPort name must not be empty if no HostPort is specified",
      });
    }
  }
}

function validate(resource: WorkloadEndpoint): readonly FieldError[] {
  const { spec } = resource;
  const checks = new FieldChecks();
  checks.tag("name", "Orchestrator", spec.orchestrator);
  checks.tag("name", "Workload", spec.workload);
  checks.tag("name", "Node", spec.node);
  checks.tag("containerID", "ContainerID", spec.containerID);
  checks.tag("name", "Pod", spec.pod);
  checks.tag("name", "Endpoint", spec.endpoint);
  checks.tag("name", "ServiceAccountName", spec.serviceAccountName);
  checks.tagEach("name", "Profiles", spec.profiles);
  // The one tag without `omitempty`: an endpoint must say which interface it is.
  if (!spec.interfaceName) checks.tagFailure("interface", "InterfaceName", "");
  checks.tag("interface", "InterfaceName", spec.interfaceName);
  checks.tag("mac", "MAC", spec.mac);
  checks.tagEach("cidr", "AllowSpoofedSourcePrefixes", spec.allowSpoofedSourcePrefixes);
  checkAddresses(resource, checks);
  checkPorts(resource, checks);
  return checks.errors;
}

/** Labels that say what the endpoint is, whatever the writer said. */
function finish(resource: WorkloadEndpoint): WorkloadEndpoint {
  const { namespace = "", labels } = resource.metadata;
  const forced = {
    "projectcalico.org/namespace": namespace,
    "projectcalico.org/orchestrator": resource.spec.orchestrator ?? "",
  };
  return { ...resource, metadata: { ...resource.metadata, labels: { ...labels, ...forced } } };
}

export const workloadEndpointRules: RuleSet<"WorkloadEndpoint"> = { client, validate, finish };
