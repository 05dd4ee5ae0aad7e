/** A route as `ip route show` prints it, without its trailing blank. */

import { familyOf, formatAddress, formatDestination, type IpAddress } from "../lib/index.ts";
import { RT_TABLE_MAIN, RTPROT_BOOT } from "./constants.ts";
import { encapText } from "./encap-text.ts";
import { routeProtocols, routeTables, scopes } from "./names.ts";
import { deviceText, type LinkName } from "./request.ts";
import { derivedScope, derivedTable } from "./route.ts";
import { metricsText } from "./route-metrics.ts";
import type { Route } from "./types.ts";

/** `via 10.0.0.1 `, or `via inet6 fe80::1 ` where the families differ. */
function viaText(gateway: IpAddress | undefined, destination: IpAddress): string {
  if (gateway === undefined) return "";
  const family = familyOf(gateway);
  const word = family === familyOf(destination) ? "" : family === 4 ? "inet " : "inet6 ";
  return `via ${word}${formatAddress(gateway)} `;
}

/** Multipath routes take one more line for each next hop, as `ip route` does. */
export function formatRoute(route: Route, linkName?: LinkName): string {
  const { type, destination, gateway, device, source, mtu, metric, flags, preference } = route;
  let text = type === "unicast" ? "" : `${type} `;
  text += `${formatDestination(destination)} `;
  if (route.from) text += `from ${formatDestination(route.from)} `;
  if (route.encap) text += encapText(route.encap);
  if (route.tos) text += `tos 0x${route.tos.toString(16).padStart(2, "0")} `;
  if (route.nextHopId !== undefined) text += `nhid ${route.nextHopId} `;
  text += viaText(gateway, destination.address);
  if (device !== undefined) text += `dev ${deviceText(device, linkName)} `;
  const table = route.table ?? derivedTable(type);
  if (table !== RT_TABLE_MAIN) text += `table ${routeTables.name(table)} `;
  // 0 is what lookups answer: the route of a packet has no protocol.
  if (route.protocol !== RTPROT_BOOT && route.protocol !== 0)
    text += `proto ${routeProtocols.name(route.protocol)} `;
  const scope = route.scope ?? scopes.name(derivedScope(route));
  if (scope !== "global") text += `scope ${scope} `;
  if (source !== undefined) text += `src ${formatAddress(source)} `;
  // The kernel names the metric of each IPv6 route it shows, also 0.
  if (metric || (metric === 0 && preference !== undefined)) text += `metric ${metric} `;
  const shown = flags ?? [];
  if (shown.includes("dead")) text += "dead ";
  if (route.onlink) text += "onlink ";
  for (const flag of shown) if (flag !== "dead") text += `${flag} `;
  text += metricsText(mtu, route.metrics);
  if (preference !== undefined) text += `pref ${preference} `;
  for (const hop of route.nextHops ?? []) {
    text += "\n\tnexthop ";
    if (hop.encap) text += encapText(hop.encap);
    text += `${viaText(hop.gateway, destination.address)}`;
    text += `dev ${deviceText(hop.device, linkName)} weight ${hop.weight ?? 1} `;
    if (hop.onlink) text += "onlink ";
  }
  return text.replace(/ +(?=\n|$)/g, "");
}
