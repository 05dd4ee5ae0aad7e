/**
 * What a resource becomes before it is written: checked, defaulted, or refused with Calico's words.
 * The order is that of Calico's client: the kind's own checks, then all rules of validator and
 * schema together, so that one error names every field that is wrong.
 */

import { validationError } from "../errors.ts";
import type { Kind } from "../kinds/index.ts";
import type { IPPool, ResourceOf } from "../resource.ts";
import { bgpConfigurationRules } from "./bgp-configuration.ts";
import { bgpFilterRules } from "./bgp-filter.ts";
import { bgpPeerRules } from "./bgp-peer.ts";
import { felixConfigurationRules } from "./felix-configuration.ts";
import { ipPoolRules } from "./ip-pool.ts";
import { checkMetadata } from "./metadata.ts";
import { modeChangeRules, modeEvidenceRules } from "./mode-change.ts";
import { nodeRules } from "./node.ts";
import type { RuleSet } from "./rule-set.ts";
import { endpointSliceRules, serviceRules } from "./service.ts";
import { clusterInformationRules, ipamBlockRules, ipamConfigurationRules } from "./singletons.ts";
import { workloadEndpointRules } from "./workload-endpoint.ts";

const ruleSets: { readonly [K in Kind]: RuleSet<K> } = {
  IPPool: ipPoolRules,
  Node: nodeRules,
  BGPConfiguration: bgpConfigurationRules,
  BGPFilter: bgpFilterRules,
  BGPPeer: bgpPeerRules,
  FelixConfiguration: felixConfigurationRules,
  ClusterInformation: clusterInformationRules,
  IPAMBlock: ipamBlockRules,
  BlockAffinity: {},
  IPAMHandle: {},
  IPAMConfiguration: ipamConfigurationRules,
  WorkloadEndpoint: workloadEndpointRules,
  NodeMode: {},
  NodeHost: {},
  ModeChange: modeChangeRules,
  ModeEvidence: modeEvidenceRules,
  Lease: {},
  Service: serviceRules,
  EndpointSlice: endpointSliceRules,
};

export interface PrepareOptions<K extends Kind> {
  readonly resource: ResourceOf<K>;
  readonly operation: "create" | "update";
  /** The stored object, on update: some fields may not change. */
  readonly existing?: ResourceOf<K> | undefined;
  /** Every stored pool, on creation of a pool: it may not overlap another. */
  readonly pools?: readonly IPPool[] | undefined;
  /** Names of every stored BGPFilter, for a BGPPeer; where they are not known none is missed. */
  readonly filters?: readonly string[] | undefined;
}

/** @throws SwitchyardError RESOURCE_INVALID. */
export function prepareForWrite<K extends Kind>(options: PrepareOptions<K>): ResourceOf<K> {
  const { operation, existing, pools = [], filters } = options;
  const rules: RuleSet<K> = ruleSets[options.resource.kind];
  let resource = options.resource;
  resource = rules.client?.({ resource, operation, existing, pools, filters }) ?? resource;
  const errors = [...checkMetadata(resource.metadata), ...(rules.validate?.(resource) ?? [])];
  resource = rules.defaults?.(resource) ?? resource;
  errors.push(...(rules.schema?.(resource) ?? []));
  if (errors.length > 0) throw validationError(errors);
  return rules.finish?.(resource) ?? resource;
}
