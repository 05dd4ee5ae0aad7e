/** Numbers the IANA BGP registries assign, with the registries' names. */

import type { AddressFamily } from "../types.ts";

export const BGP_VERSION = 4;
export const HEADER_BYTES = 19;
/** RFC 4271 section 4.1. */
export const MAXIMUM_MESSAGE_BYTES = 4096;
/** RFC 8654 section 3. */
export const MAXIMUM_EXTENDED_MESSAGE_BYTES = 65535;
/** RFC 6793 section 9: stands for a 4-octet AS number in a 2-octet field. */
export const AS_TRANS = 23456;

export const messageType = {
  open: 1,
  update: 2,
  notification: 3,
  keepalive: 4,
  routeRefresh: 5,
} as const;

export const attributeType = {
  origin: 1,
  asPath: 2,
  nextHop: 3,
  multiExitDisc: 4,
  localPref: 5,
  atomicAggregate: 6,
  aggregator: 7,
  communities: 8,
  originatorId: 9,
  clusterList: 10,
  mpReachNlri: 14,
  mpUnreachNlri: 15,
  extendedCommunities: 16,
  as4Path: 17,
  as4Aggregator: 18,
  largeCommunities: 32,
  onlyToCustomer: 35,
} as const;

export const attributeFlag = {
  optional: 0x80,
  transitive: 0x40,
  partial: 0x20,
  extendedLength: 0x10,
} as const;

export const capabilityCode = {
  multiprotocol: 1,
  routeRefresh: 2,
  extendedNextHop: 5,
  extendedMessage: 6,
  role: 9,
  gracefulRestart: 64,
  fourOctetAs: 65,
  addPath: 69,
  enhancedRouteRefresh: 70,
  longLivedGracefulRestart: 71,
} as const;

/** RFC 1997 section 2. */
export const wellKnownCommunity = {
  noExport: 0xffffff01,
  noAdvertise: 0xffffff02,
  noExportSubconfed: 0xffffff03,
  /** RFC 9494: kept for a peer that has been away for long; not to be kept for one. */
  longLivedStale: 0xffff0006,
  noLongLived: 0xffff0007,
} as const;

/** AFI and SAFI on the wire; also those this speaker does not carry. */
export interface AfiSafi {
  readonly afi: number;
  readonly safi: number;
}

const familyNumbers: Readonly<Record<AddressFamily, AfiSafi>> = {
  "ipv4-unicast": { afi: 1, safi: 1 },
  "ipv6-unicast": { afi: 2, safi: 1 },
};

export function afiSafiOf(family: AddressFamily): AfiSafi {
  return familyNumbers[family];
}

/** `undefined` for a family this speaker does not carry. */
export function familyFrom({ afi, safi }: AfiSafi): AddressFamily | undefined {
  if (safi !== 1) return undefined;
  return afi === 1 ? "ipv4-unicast" : afi === 2 ? "ipv6-unicast" : undefined;
}
