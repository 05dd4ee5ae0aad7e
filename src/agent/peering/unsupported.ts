/** Fields that can be stored but are not obeyed: said aloud, so that nobody relies on them. Pure. */

import type { BGPPeer, SpecOf } from "../../model/index.ts";

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
