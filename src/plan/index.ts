export { IPIP_DEVICE, VXLAN_DEVICE } from "./devices.ts";
export { poolTunnel } from "./encapsulation.ts";
export { addressesOf, addressOf } from "./families.ts";
export { type GateState, initialGate, stepGate } from "./gate.ts";
export { plan } from "./plan.ts";
export { renderRoute } from "./render.ts";
export type * from "./types.ts";
