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
