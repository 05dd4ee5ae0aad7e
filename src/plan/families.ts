/** Telling the two address families of a node and its host apart. */

import type { Family, IpAddress } from "../lib/index.ts";
import type { HostFacts, NodeAddress, NodeFacts, UplinkFacts } from "./types.ts";

export function addressOf(node: NodeFacts, family: Family): NodeAddress | undefined {
  return family === 4 ? node.ipv4 : node.ipv6;
}

/** The addresses of a node, IPv4 first. */
export function addressesOf({ ipv4, ipv6 }: NodeFacts): IpAddress[] {
  return [ipv4, ipv6].flatMap((facts) => (facts ? [facts.address] : []));
}

export function uplinkOf(host: HostFacts, family: Family): UplinkFacts {
  return (family === 6 ? host.uplink6 : undefined) ?? host.uplink;
}
