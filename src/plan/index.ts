export { chooseDestinations, routeSourceOf } from "./destinations.ts";
export { IPIP_DEVICE, VXLAN_DEVICE, VXLAN6_DEVICE } from "./devices.ts";
export { type Difference, diffObjects, type HeldObject, renderDifference } from "./difference.ts";
export { poolTunnel, wantedEncapsulation } from "./encapsulation.ts";
export { addressesOf, addressOf } from "./families.ts";
export { type GateOutput, type GateState, initialGate, stepGate } from "./gate.ts";
export { DEFAULT_MTU_IFACE_PATTERN, encapsulationMtus, planMtu } from "./mtu.ts";
export { resolveNextHop } from "./next-hop.ts";
export { type PlanObject, planObjects } from "./objects.ts";
export { withPeerWays } from "./peer-ways.ts";
export { plan } from "./plan.ts";
export { Planner, type PrefixChange, type PrefixFacts } from "./planner.ts";
export { type PodMtuOutput, type SaidMtu, stepPodMtu } from "./pod-mtu.ts";
export {
  GUARD_PORT,
  PROBE_DEVICE,
  PROOF_PORT,
  PROOF_RULE_PRIORITY,
  PROOF_TABLE,
} from "./proof.ts";
export {
  renderAddress,
  renderFdbEntry,
  renderIpipLink,
  renderNeighbour,
  renderRoute,
  renderSysctl,
  renderVxlanLink,
} from "./render.ts";
export type * from "./types.ts";
