/** Address management on a datastore: blocks, handles, affinities, tunnel addresses. */

export type { AssignIpRequest } from "./assign-ip.ts";
export type { AutoAssignRequest, AutoAssignResult } from "./auto-assign.ts";
export type { Allocation, Attributes } from "./block.ts";
export { Ipam, type IpamOptions } from "./ipam.ts";
export { affinityName, cidrName, handleName } from "./names.ts";
export type { Use } from "./pools.ts";
export type { ReleaseRequest } from "./release.ts";
export { type TunnelAddressRequest, type TunnelAddressType, tunnelHandle } from "./tunnel.ts";
