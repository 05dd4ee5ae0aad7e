export { orderedPools, widenedPools } from "./orders.ts";
export { type ModeStatus, modeStatus, type NodeStanding, type PoolStanding } from "./status.ts";
export { vxlanMacOf } from "./vxlan-mac.ts";
