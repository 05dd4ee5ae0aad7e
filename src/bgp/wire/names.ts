/** Numbers of the IANA BGP registries by the names the registries give them, for people to read. */

import { type AfiSafi, familyFrom } from "./constants.ts";

const messageTypes: Readonly<Record<number, string>> = {
  1: "OPEN",
  2: "UPDATE",
  3: "NOTIFICATION",
  4: "KEEPALIVE",
  5: "ROUTE-REFRESH",
};

const attributes: Readonly<Record<number, string>> = {
  1: "ORIGIN",
  2: "AS_PATH",
  3: "NEXT_HOP",
  4: "MULTI_EXIT_DISC",
  5: "LOCAL_PREF",
  6: "ATOMIC_AGGREGATE",
  7: "AGGREGATOR",
  8: "COMMUNITIES",
  9: "ORIGINATOR_ID",
  10: "CLUSTER_LIST",
  14: "MP_REACH_NLRI",
  15: "MP_UNREACH_NLRI",
  16: "EXTENDED COMMUNITIES",
  17: "AS4_PATH",
  18: "AS4_AGGREGATOR",
  32: "LARGE_COMMUNITY",
  35: "Only to Customer",
};

const capabilities: Readonly<Record<number, string>> = {
  1: "Multiprotocol Extensions",
  2: "Route Refresh",
  5: "Extended Next Hop Encoding",
  6: "BGP Extended Message",
  9: "BGP Role",
  64: "Graceful Restart",
  65: "4-octet AS number",
  69: "ADD-PATH",
  70: "Enhanced Route Refresh",
  71: "Long-Lived Graceful Restart",
  73: "FQDN",
};

export function messageTypeName(type: number): string {
  return messageTypes[type] ?? `type ${type}`;
}

export function attributeName(type: number): string {
  return attributes[type] ?? `attribute ${type}`;
}

export function capabilityName(code: number): string {
  return capabilities[code] ?? `capability ${code}`;
}

export function familyName(numbers: AfiSafi): string {
  return familyFrom(numbers) ?? `AFI ${numbers.afi} SAFI ${numbers.safi}`;
}
