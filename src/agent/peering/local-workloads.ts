/**
 * Sessions with pods of this node that speak BGP. They dial, the node waits; of the BGPPeer only the AS numbers and the
 * filters hold, as with Calico.
 */

import type { PeerConfig } from "../../bgp/index.ts";
import type { LocalPeering } from "../../facts/index.ts";
import { familyOf } from "../../lib/index.ts";
import type { FilterPolicies } from "./filters.ts";
import { DEFAULT_PORT, type Peerings, sessionFamilies } from "./local.ts";
import { peerName, reflects } from "./node-peers.ts";

export function localWorkloadPeer(
  { peer: { spec }, address }: LocalPeering,
  { local, globalAs }: Pick<Peerings, "local" | "globalAs">,
  { imported, exported }: FilterPolicies,
): PeerConfig {
  const family = familyOf(address);
  const remoteAs = Number(spec.asNumber || globalAs);
  const localAs = Number(spec.localASNumber || local.as);
  const external = remoteAs !== localAs;
  return {
    name: peerName("Local_Workload", address, DEFAULT_PORT),
    address,
    remoteAs,
    passive: true,
    ...(reflects({ ...local, as: localAs }, remoteAs, undefined) && { routeReflectorClient: true }),
    ...(localAs !== local.as && { localAs }),
    families: sessionFamilies[family],
    addPath: { receive: true },
    ...(imported.length > 0 && { importPolicy: imported }),
    exportPolicy: local.exports.of({ family, external, filters: exported }),
  };
}
