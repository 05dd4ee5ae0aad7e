/** Fields that can be stored but are not obeyed: said aloud, so that nobody relies on them. Pure. */

import type { BGPConfiguration, BGPPeer, SpecOf } from "../../model/index.ts";

const peerFields = [
  "localWorkloadSelector",
] as const satisfies readonly (keyof SpecOf<"BGPPeer">)[];

const configurationFields = [
  "localWorkloadPeeringIPV4",
  "localWorkloadPeeringIPV6",
] as const satisfies readonly (keyof SpecOf<"BGPConfiguration">)[];

export function unsupportedPeerFields({ metadata, spec }: BGPPeer): string[] {
  return lines(`BGPPeer ${metadata.name}`, spec, peerFields);
}

export function unsupportedConfigurationFields(
  spec: Partial<SpecOf<"BGPConfiguration">>,
): string[] {
  return lines("BGPConfiguration", spec, configurationFields);
}

/** What Calico obeys in a `node.NAME`; the server writes the other one's default. */
const ofNodes = new Set(["listenPort", "logSeverityScreen", "prefixAdvertisements", "communities"]);

/** Of the object for one node: what only `default` may say. */
export function misplacedFields(
  configurations: readonly BGPConfiguration[],
  node: string,
): string[] {
  const own = configurations.find(({ metadata }) => metadata.name === `node.${node}`);
  if (own === undefined) return [];
  return Object.entries(own.spec)
    .filter(([field, value]) => isSet(value) && !ofNodes.has(field))
    .filter(([field, value]) => field !== "serviceLoadBalancerAggregation" || value !== "Enabled")
    .map(([field]) => `BGPConfiguration node.${node}: spec.${field} is obeyed in default only`);
}

function lines<S extends object>(
  object: string,
  spec: S,
  fields: readonly (keyof S & string)[],
): string[] {
  return fields
    .filter((field) => isSet(spec[field]))
    .map((field) => `${object}: spec.${field} is not obeyed by this version`);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}
