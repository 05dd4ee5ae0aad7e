/** Which peer is which: where one is, and whether another configuration means the same one. */

import { sameData, sessionParameters } from "./config.ts";
import type { Peer } from "./peer.ts";
import { placeOf } from "./place.ts";
import type { SessionParameters } from "./session/index.ts";
import type { PeerConfig, SpeakerConfig } from "./types.ts";

/** Its routes, and what it keeps of ours, are not those of the one that is wanted. */
export function isAnotherPeer({ parameters: before }: Peer, next: SessionParameters): boolean {
  const identity = (parameters: SessionParameters) => {
    const { remoteAs, localAs, routerId, families } = parameters;
    return [placeOf(parameters), remoteAs, localAs, routerId, families];
  };
  return !sameData(identity(before), identity(next));
}

export function needsNewSession(peer: Peer, next: PeerConfig, config: SpeakerConfig): boolean {
  const clients =
    (peer.config.routeReflectorClient ?? false) !== (next.routeReflectorClient ?? false);
  return clients || !sameData(peer.parameters, sessionParameters(config, next));
}

/** A peer that is wanted under another name is the same: a node of the mesh may become a reflector. */
export function renamePeers(
  peers: Map<string, Peer>,
  wanted: ReadonlyMap<string, PeerConfig>,
): void {
  const byPlace = new Map([...wanted.values()].map((next) => [placeOf(next), next.name]));
  for (const [name, peer] of [...peers]) {
    const next = byPlace.get(placeOf(peer.config));
    if (next === undefined || next === name || wanted.has(name) || peers.has(next)) continue;
    peers.delete(name);
    peers.set(next, peer);
  }
}
