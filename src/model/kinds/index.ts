/** The kinds: how each is called, where it lives, what its spec and status look like. */

import { z } from "zod";
import { bgpConfigurationSpecSchema, bgpPeerSpecSchema } from "./bgp.ts";
import { bgpFilterSpecSchema } from "./bgp-filter.ts";
import { clusterInformationSpecSchema } from "./cluster-information.ts";
import { felixConfigurationSpecSchema } from "./felix-configuration.ts";
import { ipPoolSpecSchema } from "./ip-pool.ts";
import {
  blockAffinitySpecSchema,
  ipamBlockSpecSchema,
  ipamConfigurationSpecSchema,
  ipamHandleSpecSchema,
} from "./ipam.ts";
import { leaseSpecSchema } from "./lease.ts";
import { modeChangeSpecSchema, modeChangeStatusSchema } from "./mode-change.ts";
import { modeEvidenceSpecSchema, modeEvidenceStatusSchema } from "./mode-evidence.ts";
import { nodeSpecSchema, nodeStatusSchema } from "./node.ts";
import { nodeHostSpecSchema, nodeHostStatusSchema } from "./node-host.ts";
import { nodeModeSpecSchema, nodeModeStatusSchema } from "./node-mode.ts";
import { endpointSliceBodySchema, serviceSpecSchema, serviceStatusSchema } from "./service.ts";
import { workloadEndpointSpecSchema } from "./workload-endpoint.ts";

const calico = "projectcalico.org/v3";
const own = "switchyard.io/v1";
const core = "v1";
const none = z.strictObject({});

/**
 * One row per kind. `plural` is the path segment of the API and of etcd keys; `body`: fields that stand beside
 * `metadata`, where Kubernetes has no `spec`.
 */
export const kindTable = {
  IPPool: {
    apiVersion: calico,
    plural: "ippools",
    namespaced: false,
    spec: ipPoolSpecSchema,
    status: z.looseObject({}),
  },
  Node: {
    apiVersion: calico,
    plural: "nodes",
    namespaced: false,
    spec: nodeSpecSchema,
    status: nodeStatusSchema,
  },
  BGPConfiguration: {
    apiVersion: calico,
    plural: "bgpconfigurations",
    namespaced: false,
    spec: bgpConfigurationSpecSchema,
    status: none,
  },
  BGPPeer: {
    apiVersion: calico,
    plural: "bgppeers",
    namespaced: false,
    spec: bgpPeerSpecSchema,
    status: none,
  },
  BGPFilter: {
    apiVersion: calico,
    plural: "bgpfilters",
    namespaced: false,
    spec: bgpFilterSpecSchema,
    status: none,
  },
  FelixConfiguration: {
    apiVersion: calico,
    plural: "felixconfigurations",
    namespaced: false,
    spec: felixConfigurationSpecSchema,
    status: none,
  },
  ClusterInformation: {
    apiVersion: calico,
    plural: "clusterinformations",
    namespaced: false,
    spec: clusterInformationSpecSchema,
    status: none,
  },
  IPAMBlock: {
    apiVersion: calico,
    plural: "ipamblocks",
    namespaced: false,
    spec: ipamBlockSpecSchema,
    status: none,
  },
  BlockAffinity: {
    apiVersion: calico,
    plural: "blockaffinities",
    namespaced: false,
    spec: blockAffinitySpecSchema,
    status: none,
  },
  IPAMHandle: {
    apiVersion: calico,
    plural: "ipamhandles",
    namespaced: false,
    spec: ipamHandleSpecSchema,
    status: none,
  },
  IPAMConfiguration: {
    apiVersion: calico,
    plural: "ipamconfigurations",
    namespaced: false,
    spec: ipamConfigurationSpecSchema,
    status: none,
  },
  WorkloadEndpoint: {
    apiVersion: calico,
    plural: "workloadendpoints",
    namespaced: true,
    spec: workloadEndpointSpecSchema,
    status: none,
  },
  NodeMode: {
    apiVersion: own,
    plural: "nodemodes",
    namespaced: false,
    spec: nodeModeSpecSchema,
    status: nodeModeStatusSchema,
  },
  NodeHost: {
    apiVersion: own,
    plural: "nodehosts",
    namespaced: false,
    spec: nodeHostSpecSchema,
    status: nodeHostStatusSchema,
  },
  ModeChange: {
    apiVersion: own,
    plural: "modechanges",
    namespaced: false,
    spec: modeChangeSpecSchema,
    status: modeChangeStatusSchema,
  },
  ModeEvidence: {
    apiVersion: own,
    plural: "modeevidences",
    namespaced: false,
    spec: modeEvidenceSpecSchema,
    status: modeEvidenceStatusSchema,
  },
  Lease: {
    apiVersion: own,
    plural: "leases",
    namespaced: false,
    spec: leaseSpecSchema,
    status: none,
  },
  Service: {
    apiVersion: core,
    plural: "services",
    namespaced: true,
    spec: serviceSpecSchema,
    status: serviceStatusSchema,
  },
  EndpointSlice: {
    apiVersion: "discovery.k8s.io/v1",
    plural: "endpointslices",
    namespaced: true,
    spec: none.optional(),
    status: none,
    body: endpointSliceBodySchema,
  },
} as const;

/** Where Kubernetes serves a group: its first one, which has no name, has a path of its own. */
export function apiRoot(apiVersion: string): string {
  return apiVersion === core ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
}

export type Kind = keyof typeof kindTable;
export const kinds = Object.keys(kindTable) as Kind[];
export type SpecOf<K extends Kind> = z.infer<(typeof kindTable)[K]["spec"]>;
export type StatusOf<K extends Kind> = z.infer<(typeof kindTable)[K]["status"]>;
