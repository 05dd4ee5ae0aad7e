/** A peer's details as JSON. */

import { formatAddress } from "../../lib/index.ts";
import type { PeerDetails, RefusedConnections, SessionEnd } from "../index.ts";
import type { EndDocument, PeerDocument, PeersDocument } from "./documents.ts";

export function peerDocument(peer: PeerDetails, type: string | undefined): PeerDocument {
  const { received, sent } = peer;
  return {
    name: peer.name,
    address: formatAddress(peer.address),
    port: peer.port,
    remoteAs: peer.remoteAs,
    localAs: peer.localAs,
    ...(type === undefined ? {} : { type }),
    passive: peer.passive,
    state: peer.state,
    since: time(peer.sinceMs),
    lastError: peer.lastError,
    ...sessionOf(peer),
    ...bfdOf(peer),
    keptForRestart: peer.gracefulRestart,
    ...(peer.longLivedRestart ? { keptForLonger: true } : {}),
    routes: {
      received: peer.routesReceived,
      accepted: peer.routesAccepted,
      sent: peer.routesSent,
      waiting: peer.routesWaiting,
    },
    messages: { received, sent },
    malformed: peer.malformed,
    ...(peer.lastReceivedMs === 0 ? {} : { lastReceived: time(peer.lastReceivedMs) }),
    sessionsEstablished: peer.established,
    sessionsEnded: peer.endCounts,
    history: peer.ends.map(endDocument),
  };
}

function sessionOf({
  session,
  holdTimeSeconds,
  endOfRib,
}: PeerDetails): Pick<PeerDocument, "session"> {
  if (session === undefined) return {};
  const { peerType, peerRouterId, localAddress, keepaliveSeconds } = session;
  const { families, capabilities } = session;
  return {
    session: {
      peerType,
      routerId: formatAddress(peerRouterId),
      ...(localAddress === undefined ? {} : { localAddress: formatAddress(localAddress) }),
      ...{ holdTimeSeconds, keepaliveSeconds, families, capabilities, endOfRib },
    },
  };
}

function bfdOf({ bfd }: PeerDetails): Pick<PeerDocument, "bfd"> {
  if (bfd === undefined) return {};
  const { state, sinceMs, diagnostic } = bfd;
  return { bfd: { state, since: time(sinceMs), diagnostic } };
}

export function refusedDocument(refused: RefusedConnections): PeersDocument["refused"] {
  const { total, recent, signatures } = refused;
  return {
    total,
    recent: recent.map(({ address, count, lastMs }) => ({
      ...{ address: formatAddress(address), count, last: time(lastMs) },
    })),
    ...(signatures && { signatures }),
  };
}

export function endDocument(end: SessionEnd): EndDocument {
  const { times, by, from, name, reason, establishedMs } = end;
  return {
    at: time(end.atMs),
    ...(times > 1 ? { first: time(end.firstMs) } : {}),
    ...{ times, by, from },
    ...(establishedMs === undefined
      ? {}
      : { establishedSeconds: Math.round(establishedMs / 1000) }),
    ...{ name, reason },
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
