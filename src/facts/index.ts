/**
 * The door of the facts room: from resources to what the planner is told, by one way for the agent, which does
 * it, and for `mode plan`, which foresees it.
 */

export { BorrowedAddresses, borrowedOf } from "./borrowed.ts";
export {
  bgpAddresses,
  blockFacts,
  type ClusterFacts,
  clusterFacts,
  joinFacts,
  type NodeAddresses,
  nodeAddresses,
  nodeSettings,
  type OwnFacts,
  ownFacts,
  poolFacts,
  type SharedFacts,
  sharedFacts,
} from "./cluster-facts.ts";
export { clusterRoutes } from "./cluster-routes.ts";
export { type ClusterView, effectiveSpec } from "./cluster-view.ts";
export { type LocalPeering, localPeerings } from "./local-peers.ts";
export { type MaskResult, resolveMasks } from "./node-masks.ts";
export { parsePeerAddress } from "./peer-gateways.ts";
export { type ServiceSettings, serviceCidrs, serviceSettings } from "./service-settings.ts";
export { eligibleTunnelPools, type Tunnel } from "./tunnel-pools.ts";
