/** Everything that is told of a peer when somebody asks, put together from what knows it. */

import type { IpAddress } from "../lib/index.ts";
import type { Negotiated, SessionParameters, SessionRecord } from "./session/index.ts";
import type { PeerDetails, PeerStatus } from "./types.ts";

export interface DetailSources {
  readonly status: PeerStatus;
  readonly parameters: SessionParameters;
  readonly record: SessionRecord;
  readonly negotiated: Negotiated | undefined;
  readonly localAddress: IpAddress | undefined;
  readonly routesAccepted: number;
  readonly routesWaiting: number;
  readonly malformed: number;
}

export function peerDetails(sources: DetailSources): PeerDetails {
  const { status, parameters, record, negotiated } = sources;
  const { routesAccepted, routesWaiting, malformed } = sources;
  return {
    ...status,
    localAs: parameters.localAs,
    passive: parameters.passive,
    port: parameters.port,
    ...(negotiated && { session: sessionOf(negotiated, sources) }),
    ...{ routesAccepted, routesWaiting, malformed },
    received: { ...record.received },
    sent: { ...record.sent },
    lastReceivedMs: record.lastReceivedMs,
    established: record.established,
    endCounts: record.endCounts,
    ends: record.ends,
  };
}

function sessionOf(
  negotiated: Negotiated,
  { localAddress, parameters }: Pick<DetailSources, "localAddress" | "parameters">,
): NonNullable<PeerDetails["session"]> {
  const { peerType, peerRouterId, keepaliveSeconds, families } = negotiated;
  return {
    ...{ peerType, peerRouterId, keepaliveSeconds, families },
    ...(localAddress === undefined ? {} : { localAddress }),
    capabilities: capabilitiesOf(negotiated, parameters),
  };
}

function capabilitiesOf(negotiated: Negotiated, parameters: SessionParameters): string[] {
  const { gracefulRestart } = negotiated;
  const agreed: Readonly<Record<string, boolean>> = {
    "4-octet AS numbers": negotiated.fourOctetAs,
    "route refresh": negotiated.routeRefresh,
    "enhanced route refresh": negotiated.enhancedRouteRefresh,
    "extended messages": negotiated.extendedMessage,
    "IPv4 over IPv6 next hops": negotiated.extendedNextHop,
    "several paths received": negotiated.addPathReceive.length > 0,
    "several paths sent": negotiated.addPathSend.length > 0,
    "graceful restart": gracefulRestart !== undefined,
    "long-lived graceful restart":
      negotiated.longLivedRestart !== undefined &&
      parameters.longLivedStaleTimeSeconds !== undefined,
    "graceful restart after NOTIFICATION": gracefulRestart?.notification ?? false,
  };
  return Object.keys(agreed).filter((name) => agreed[name]);
}
