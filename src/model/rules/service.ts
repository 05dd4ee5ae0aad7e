/** Service and EndpointSlice: what is read of them makes sense. Kubernetes checks much more. */

import type { FieldError } from "../errors.ts";
import type { EndpointSlice, ResourceOf, Service } from "../resource.ts";
import { FieldChecks } from "./primitives.ts";
import type { RuleSet } from "./rule-set.ts";

/** RFC 1035 section 2.3.1; an object's name may be longer and have dots. */
const LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

function validate({ metadata, spec, status }: Service): readonly FieldError[] {
  const checks = new FieldChecks();
  const reason = `the name of a Service is a DNS label: ${LABEL.source}`;
  if (!LABEL.test(metadata.name)) {
    checks.add({ name: "Metadata.Name", value: metadata.name, reason });
  }
  const { clusterIP, clusterIPs = [] } = spec;
  if (clusterIP !== "None") checks.tag("ip", "ClusterIP", clusterIP);
  // Without one its only entry is "None" too.
  if (clusterIPs.join() !== "None") checks.tagEach("ip", "ClusterIPs", clusterIPs);
  checks.tagEach("ip", "ExternalIPs", spec.externalIPs);
  for (const { ip } of status?.loadBalancer?.ingress ?? []) checks.tag("ip", "IP", ip);
  return checks.errors;
}

export const serviceRules: RuleSet<"Service"> = { validate };

function validateSlice(slice: ResourceOf<"EndpointSlice">): readonly FieldError[] {
  const checks = new FieldChecks();
  const { addressType } = slice as EndpointSlice;
  if (addressType === "") checks.tagRequired("AddressType", "");
  return checks.errors;
}

export const endpointSliceRules: RuleSet<"EndpointSlice"> = { validate: validateSlice };
