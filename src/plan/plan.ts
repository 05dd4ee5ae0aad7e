/**
 * plan(snapshot) -> NodePlan: what one node's kernel should hold, as a pure function. The agent
 * applies it, `mode plan` compares it for every node, `node diff` holds it against the kernel;
 * there is no second model of the truth.
 */

import { chooseDestinations } from "./destinations.ts";
import { planFirewall } from "./firewall.ts";
import { planMtu } from "./mtu.ts";
import { localPeerAddresses, peerGatewayRoutes } from "./peer-ways.ts";
import { planProbeAddress, planProof } from "./proof.ts";
import { planRoutes } from "./routes.ts";
import { planSysctls } from "./sysctls.ts";
import { planTunnels } from "./tunnels.ts";
import type { NodePlan, Snapshot } from "./types.ts";

/** @throws RangeError if the snapshot does not contain the node it is for. O(nodes + blocks + learned). */
export function plan(snapshot: Snapshot): NodePlan {
  const local = snapshot.nodes.find((node) => node.name === snapshot.node);
  if (!local) throw new RangeError(`node ${snapshot.node} is not in its own snapshot`);
  const destinations = chooseDestinations(snapshot);
  const tunnels = planTunnels(snapshot, local);
  const proof = planProof(snapshot, local);
  return {
    node: snapshot.node,
    uplink: snapshot.host.uplink.name,
    ...tunnels,
    addresses: [
      ...tunnels.addresses,
      ...planProbeAddress(snapshot),
      ...localPeerAddresses(snapshot),
    ],
    routes: [...peerGatewayRoutes(snapshot), ...planRoutes(snapshot, destinations)],
    ...(proof && { proof }),
    firewall: planFirewall(snapshot, tunnels, 4),
    ...(local.ipv6 && { firewall6: planFirewall(snapshot, tunnels, 6) }),
    sysctls: planSysctls(snapshot, local, tunnels),
    mtu: planMtu(snapshot),
    ...(snapshot.podMtu && {
      podMtu: {
        ...snapshot.podMtu,
        devices: [...new Set(snapshot.workloads.map((workload) => workload.device))],
      },
    }),
    destinations,
    ownedProtocols: [snapshot.settings.bgpProtocol, snapshot.settings.datastoreProtocol],
    workloadDevicePrefix: "cali",
    keepUnplannedRoutes: snapshot.keepUnplannedRoutes,
  };
}
