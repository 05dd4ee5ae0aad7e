/** What a BGPPeer says of any session that it makes, whether with an address or with nodes it selects. Pure. */

import type { PeerConfig } from "../../bgp/index.ts";
import type { BGPPeer } from "../../model/index.ts";
import { seconds } from "./session-options.ts";

const nextHopModes = { Auto: "auto", Self: "self", Keep: "keep" } as const;
/** Of a hold time: sixteen bits. */
const MAXIMUM_KEEPALIVE_SECONDS = 65_535;

/** `localAs`: the node's own. */
export function withPeerFields(
  config: PeerConfig,
  spec: BGPPeer["spec"],
  localAs: number,
): PeerConfig {
  const { localAddress, ...rest } = config;
  const external = config.remoteAs !== (config.localAs ?? localAs);
  const keepalive = seconds(spec.keepaliveTime);
  // Deprecated, and only ever for eBGP; the two are never both set.
  const keeps = spec.keepOriginalNextHop === true && external;
  return {
    ...rest,
    ...(spec.sourceAddress !== "None" && localAddress !== undefined && { localAddress }),
    ...(keeps && { nextHop: "keep" }),
    ...(spec.nextHopMode && { nextHop: nextHopModes[spec.nextHopMode] }),
    ...(keepalive && { keepaliveSeconds: Math.min(keepalive, MAXIMUM_KEEPALIVE_SECONDS) }),
  };
}
