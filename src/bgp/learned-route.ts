/** A path of the tables as users of the speaker see it. */

import type { Path, SentPath } from "./rib/index.ts";
import type { LearnedRoute } from "./types.ts";
import type { RouteDetails, SentRoute } from "./view-types.ts";
import {
  type AttributeContext,
  asPathNumbers,
  decodeAttributes,
  extendedCommunities,
  largeCommunities,
  type PathAttributes,
  type PrefixKey,
  prefixOfKey,
  scanAttributes,
} from "./wire/index.ts";

export function learnedRoute(key: PrefixKey, path: Path): LearnedRoute {
  const { source, attributes, localPref } = path;
  return {
    prefix: prefixOfKey(key),
    nextHop: attributes.nextHop,
    peer: source.peer,
    peerType: source.peerType,
    asPath: asPathNumbers(attributes.asPath),
    origin: attributes.origin,
    localPref,
    communities: attributes.communities ?? [],
    largeCommunities: largeCommunities(attributes.largeCommunities),
    extendedCommunities: extendedCommunities(attributes.extendedCommunities),
    stale: source.stale,
    ...(attributes.med === undefined ? {} : { med: attributes.med }),
  };
}

/** Of paths that are used together. */
export function nextHopsOf(used: readonly Path[]): Pick<LearnedRoute, "nextHops"> {
  if (used.length < 2) return {};
  return { nextHops: used.map(({ attributes }) => attributes.nextHop) };
}

export function routeDetails(key: PrefixKey, path: Path): RouteDetails {
  const { attributes, source } = path;
  const { aggregator } = attributes;
  return {
    ...learnedRoute(key, path),
    peerAddress: source.peerAddress,
    peerRouterId: source.peerRouterId,
    atomicAggregate: attributes.atomicAggregate ?? false,
    ...reflection(attributes),
    ...(path.pathId === 0 ? {} : { pathId: path.pathId }),
    ...(aggregator === undefined ? {} : { aggregator }),
  };
}

/** Read back from the bytes that were sent: the tables keep nothing else. */
export function sentRoute(
  key: PrefixKey,
  { attributes: sent, id }: SentPath,
  context: AttributeContext,
): SentRoute {
  const { draft } = decodeAttributes(scanAttributes(sent.bytes).attributes, context);
  const { origin = "incomplete", asPath = [], localPref, med } = draft;
  return {
    prefix: prefixOfKey(key),
    nextHop: sent.nextHop,
    asPath: asPathNumbers(asPath),
    origin,
    communities: draft.communities ?? [],
    largeCommunities: largeCommunities(draft.largeCommunities),
    extendedCommunities: extendedCommunities(draft.extendedCommunities),
    ...reflection(draft),
    ...(localPref === undefined ? {} : { localPref }),
    ...(med === undefined ? {} : { med }),
    ...(id === undefined ? {} : { pathId: id }),
  };
}

type Reflection = Pick<RouteDetails, "originatorId" | "clusterList" | "onlyToCustomer">;

function reflection(attributes: Partial<PathAttributes>): Reflection {
  const { originatorId, clusterList = [], onlyToCustomer } = attributes;
  return {
    clusterList,
    ...(originatorId === undefined ? {} : { originatorId }),
    ...(onlyToCustomer === undefined ? {} : { onlyToCustomer }),
  };
}
