/**
 * The names by which the command line and the API's discovery know a kind. Kinds that are not here
 * (IPAM's own objects) are not for operators to write and are not exposed by name.
 */

import type { Kind } from "./kinds/index.ts";

/** Lower case; the kind's own name first, its plural second. */
export const kindAliases = {
  BGPConfiguration: ["bgpconfiguration", "bgpconfigurations", "bgpconfig", "bgpconfigs"],
  BGPFilter: ["bgpfilter", "bgpfilters", "bgpf", "bgpfs", "bf", "bfs"],
  BGPPeer: ["bgppeer", "bgppeers", "bgpp", "bgpps", "bp", "bps"],
  ClusterInformation: ["clusterinformation", "clusterinformations", "clusterinfo", "clusterinfos"],
  FelixConfiguration: ["felixconfiguration", "felixconfigurations", "felixconfig", "felixconfigs"],
  EndpointSlice: ["endpointslice", "endpointslices"],
  IPAMConfiguration: ["ipamconfiguration", "ipamconfigurations", "ipamconfig", "ipamconfigs"],
  IPPool: ["ippool", "ippools", "ipp", "ipps", "pool", "pools"],
  Node: ["node", "nodes", "no", "nos"],
  ModeChange: ["modechange", "modechanges"],
  ModeEvidence: ["modeevidence", "modeevidences"],
  NodeHost: ["nodehost", "nodehosts"],
  NodeMode: ["nodemode", "nodemodes"],
  Service: ["service", "services", "svc"],
  WorkloadEndpoint: ["workloadendpoint", "workloadendpoints", "wep", "weps"],
} as const satisfies Partial<Record<Kind, readonly string[]>>;

/** A kind that operators name on the command line and write in files. */
export type ExposedKind = keyof typeof kindAliases;

export const exposedKinds = Object.keys(kindAliases) as ExposedKind[];

const byAlias = new Map<string, ExposedKind>(
  exposedKinds.flatMap((kind) => kindAliases[kind].map((alias) => [alias, kind] as const)),
);

/** The kind an operator means by `name`, in any case; `undefined` if there is none. */
export function kindFromAlias(name: string): ExposedKind | undefined {
  return byAlias.get(name.toLowerCase());
}
