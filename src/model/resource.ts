/** A resource as the API shows it: kind, metadata, spec, and for some kinds a status. */

import type { Kind, SpecOf, StatusOf } from "./kinds/index.ts";
import type { EndpointSliceBody } from "./kinds/service.ts";
import type { Metadata } from "./metadata.ts";

export interface ResourceOf<K extends Kind> {
  readonly apiVersion: string;
  readonly kind: K;
  readonly metadata: Metadata;
  readonly spec: SpecOf<K>;
  readonly status?: StatusOf<K>;
}

/** Any resource, told apart by `kind`. */
export type Resource = { [K in Kind]: ResourceOf<K> }[Kind];

export type IPPool = ResourceOf<"IPPool">;
export type Node = ResourceOf<"Node">;
export type BGPConfiguration = ResourceOf<"BGPConfiguration">;
export type BGPFilter = ResourceOf<"BGPFilter">;
export type BGPPeer = ResourceOf<"BGPPeer">;
export type FelixConfiguration = ResourceOf<"FelixConfiguration">;
export type ClusterInformation = ResourceOf<"ClusterInformation">;
export type IPAMBlock = ResourceOf<"IPAMBlock">;
export type BlockAffinity = ResourceOf<"BlockAffinity">;
export type IPAMHandle = ResourceOf<"IPAMHandle">;
export type IPAMConfiguration = ResourceOf<"IPAMConfiguration">;
export type WorkloadEndpoint = ResourceOf<"WorkloadEndpoint">;
export type NodeMode = ResourceOf<"NodeMode">;
export type NodeHost = ResourceOf<"NodeHost">;
export type ModeChange = ResourceOf<"ModeChange">;
export type ModeEvidence = ResourceOf<"ModeEvidence">;
export type Lease = ResourceOf<"Lease">;
export type Service = ResourceOf<"Service">;

/** As it was decoded: its fields stand beside `metadata`. */
export type EndpointSlice = ResourceOf<"EndpointSlice"> & EndpointSliceBody;
