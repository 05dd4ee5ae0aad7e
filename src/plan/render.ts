/**
 * Objects of a node's kernel as an operator reads them: what `ip route`, `ip -d link` and the firewall would
 * show. The plan and what a kernel holds are both rendered here, so that there is one text form.
 */

import {
  formatAddress,
  formatDestination,
  formatPrefix,
  type IpAddress,
  isPrefix4,
  type Prefix,
} from "../lib/index.ts";
import type { RoutePlan } from "./types.ts";

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  2: "kernel",
  3: "boot",
  4: "static",
  12: "bird",
};
const RTPROT_BOOT = 3;

/** One route as `ip route show` or `ip -6 route show` prints it. */
export function renderRoute(route: RoutePlan): string {
  return routeWords(route, []);
}

/** As `ip route show table all` prints those that are not in table main. */
export function renderTableRoute(route: RoutePlan, table: number): string {
  return routeWords(route, ["table", String(table)]);
}

function routeWords(route: RoutePlan, table: readonly string[]): string {
  const words: string[] = [];
  const ipv6 = !isPrefix4(route.destination);
  if (route.kind !== "unicast") words.push(route.kind);
  words.push(formatDestination(route.destination));
  if (route.gateway !== undefined) words.push("via", formatAddress(route.gateway));
  if (route.device !== undefined) words.push("dev", route.device);
  else if (ipv6 && route.kind !== "unicast") words.push("dev", "lo");
  words.push(...table);
  if (route.protocol !== RTPROT_BOOT) {
    words.push("proto", PROTOCOL_NAMES[route.protocol] ?? String(route.protocol));
  }
  if (route.scope === "link") words.push("scope", "link");
  // What the kernel gives an IPv6 route that is told neither (IP6_RT_PRIO_USER).
  if (ipv6) words.push("metric", "1024");
  if (route.onlink) words.push("onlink");
  if (ipv6) words.push("pref", "medium");
  return [words.join(" "), ...(route.nextHops ?? []).map(nextHopLine)].join("\n\t");
}

function nextHopLine({ gateway, device }: NonNullable<RoutePlan["nextHops"]>[number]): string {
  return `nexthop via ${formatAddress(gateway)} dev ${device} weight 1`;
}

export interface IpipLinkText {
  readonly device: string;
  readonly mtu: number;
  readonly local?: IpAddress;
  readonly uplink?: string;
  /** Down devices are news; up is what everybody expects. */
  readonly down?: boolean;
}

export function renderIpipLink({ device, mtu, local, uplink, down }: IpipLinkText): string {
  const words = ["link", device, "ipip"];
  if (local !== undefined) words.push("local", formatAddress(local));
  if (uplink !== undefined) words.push("dev", uplink);
  words.push("mtu", String(mtu));
  if (down) words.push("down");
  return words.join(" ");
}

export interface VxlanLinkText {
  readonly device: string;
  readonly vni: number;
  readonly port: number;
  readonly local?: IpAddress | undefined;
  readonly parent?: string | undefined;
  readonly learning?: boolean;
  readonly mtu: number;
  readonly mac: string;
  readonly down?: boolean;
}

export function renderVxlanLink(link: VxlanLinkText): string {
  const { device, vni, port, local, parent, learning = false, mtu, mac, down } = link;
  const words: (string | number)[] = ["link", device, "vxlan", "id", vni];
  if (local !== undefined) words.push("local", formatAddress(local));
  if (parent !== undefined) words.push("dev", parent);
  words.push("dstport", port, ...(learning ? [] : ["nolearning"]), "mtu", mtu, "address", mac);
  if (down) words.push("down");
  return words.join(" ");
}

export function renderAddress(prefix: Prefix, device: string): string {
  return `address ${formatPrefix(prefix)} dev ${device}`;
}

export function renderNeighbour(address: IpAddress, mac: string, device: string): string {
  return `neighbour ${formatAddress(address)} lladdr ${mac} dev ${device}`;
}

export function renderFdbEntry(mac: string, node: IpAddress, device: string): string {
  return `fdb ${mac} dst ${formatAddress(node)} dev ${device}`;
}

export function renderSysctl(path: string, value: string): string {
  return `sysctl ${path} = ${value}`;
}
