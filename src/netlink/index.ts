/** The door of the netlink room: rtnetlink without any knowledge of pods, pools or modes. */

export type { EthtoolFeature, EthtoolLinkState, FeatureChanges } from "./ethtool.ts";
export { type EthtoolSocket, openEthtool } from "./ethtool-socket.ts";
export type { Refusal } from "./exchange.ts";
export { formatRoute } from "./format-route.ts";
export { type GenericFamily, GenericSocket, type GenericSocketOptions } from "./generic.ts";
export { type Monitor, type MonitorOptions, openMonitor } from "./monitor.ts";
export { Names, neighbourStates, routeProtocols, routeTables, scopes } from "./names.ts";
export { formatNextHop } from "./next-hop-object.ts";
export { type Notice, Notices, openNotices } from "./notices.ts";
export type { LinkName } from "./request.ts";
export * from "./requests.ts";
export { normalizeRoute, routeKey } from "./route.ts";
export type { LookupOptions } from "./route-query.ts";
export { openRouteSocket, type RouteSocket, type RouteSocketOptions } from "./route-socket.ts";
export { formatRule } from "./rule.ts";
export type { HostSocket, SocketFilter, TransportProtocol } from "./socket-diag.ts";
export { openSocketDiag, type SocketDiag } from "./socket-diag-socket.ts";
export type * from "./types.ts";
