/** Whether a speaker would be told anything new. Pure. */

import { isDeepStrictEqual } from "node:util";
import type { PeerConfig, SpeakerConfig } from "../bgp/index.ts";

type Policy = PeerConfig["exportPolicy"];

/** But for what is originated. A policy that many peers share is compared once. */
export function sameConfig(before: SpeakerConfig, after: SpeakerConfig): boolean {
  const { peers, originate: _, ...rest } = before;
  const { peers: nextPeers, originate: __, ...nextRest } = after;
  if (peers.length !== nextPeers.length || !isDeepStrictEqual(rest, nextRest)) return false;
  const equal = new Map<Policy, Policy>();
  const samePolicy = (one: Policy, other: Policy) => {
    if (one === other || (one !== undefined && equal.get(one) === other)) return true;
    if (!isDeepStrictEqual(one, other)) return false;
    equal.set(one, other);
    return true;
  };
  return peers.every((peer, at) => {
    const { exportPolicy, importPolicy, ...fields } = peer;
    const next = nextPeers[at]!;
    const { exportPolicy: nextExport, importPolicy: nextImport, ...nextFields } = next;
    return (
      isDeepStrictEqual(fields, nextFields) &&
      samePolicy(exportPolicy, nextExport) &&
      samePolicy(importPolicy, nextImport)
    );
  });
}
