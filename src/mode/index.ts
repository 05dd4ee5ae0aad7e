export { Driver } from "./change/driver.ts";
export { type OperatorWord, requestChange, sayWord } from "./change/request.ts";
export {
  type Counters,
  parseConntrack,
  parseDevices,
  parseSnmp,
  parseSnmp6,
} from "./guard/counters.ts";
export type { PathKind, PathReport, SessionReport } from "./guard/judge.ts";
export { type PathCount, PathLedger } from "./guard/ledger.ts";
export { probePartners } from "./guard/partners.ts";
export { wantedCounters } from "./guard/thresholds.ts";
export { type GuardSight, GuardWatch } from "./guard/watch.ts";
export { type MeshOrders, meshChanges, meshOrders } from "./mesh-orders.ts";
export {
  changedPool,
  guardedChange,
  isMoved,
  orderedBlocks,
  orderedChanges,
  orderedPools,
  type ProbedChange,
  probedChange,
  widenedPools,
} from "./orders.ts";
export { foresee } from "./preview/foresee.ts";
export { previewMesh } from "./preview/mesh.ts";
export { previewChange } from "./preview/preview.ts";
export type * from "./preview/types.ts";
export { judgeProof } from "./proof/judge.ts";
export { type ProofMatrix, proofMatrix } from "./proof/matrix.ts";
export { proofNodes, wornBetween } from "./proof/nodes.ts";
export type { ProofInput } from "./proof/pair-facts.ts";
export { type ProbePair, type ProbePairs, probePairs } from "./proof/pairs.ts";
export { readCluster, type StoredCluster } from "./read-cluster.ts";
export { type ModeStatus, modeStatus, type NodeStanding, type PoolStanding } from "./status.ts";
export { findTraps } from "./traps/find-traps.ts";
export { vxlanMacOf } from "./vxlan-mac.ts";
