export * from "./aliases.ts";
export * from "./columns.ts";
export { parseCommunity } from "./community.ts";
export * from "./decode.ts";
export * from "./errors.ts";
export type { BGPFilterRule } from "./kinds/bgp-filter.ts";
export { apiRoot, type Kind, kinds, kindTable, type SpecOf, type StatusOf } from "./kinds/index.ts";
export type { EncapMode, IPPoolSpec } from "./kinds/ip-pool.ts";
export {
  type ChangeOrders,
  type ChangePhase,
  type ModeChangeSpec,
  type ModeChangeStatus,
  type ModeName,
  modeNames,
  type Trap,
  type Verdict,
} from "./kinds/mode-change.ts";
export type { Breach, ModeEvidenceStatus, ProofResult } from "./kinds/mode-evidence.ts";
export type { NodeHostStatus } from "./kinds/node-host.ts";
export { type Encapsulation, encapsulations, type NodeModeStatus } from "./kinds/node-mode.ts";
export { mergePatch } from "./merge-patch.ts";
export type { Metadata } from "./metadata.ts";
export { modeFields, modeName, type NetworkMode, poolMode } from "./pool-mode.ts";
export * from "./resource.ts";
export { applyReadDefaults } from "./rules/ip-pool.ts";
export { type PrepareOptions, prepareForWrite } from "./rules/prepare.ts";
export type { Labels } from "./selector/expression.ts";
export { parseSelector, type Selector } from "./selector/parser.ts";
export { strategicMerge } from "./strategic-merge.ts";
export {
  type WorkloadEndpointIdentifiers,
  workloadEndpointName,
} from "./workload-endpoint-name.ts";
