/** What the lab's router process is told, as a file: sessions with every node, and where to answer. */

import { z } from "zod";
import type { SpeakerConfig } from "../../bgp/index.ts";
import { formatAddress, type Ipv4, ipv4 } from "../../lib/index.ts";
import { layout, type Topology } from "../topology.ts";

const addressSchema = z.ipv4();

export const routerConfigSchema = z.strictObject({
  localAs: z.int().positive(),
  routerId: addressSchema,
  /** Unix socket on which the router answers `GET /status`. */
  socketPath: z.string(),
  peers: z.array(
    z.strictObject({ name: z.string(), address: addressSchema, remoteAs: z.int().positive() }),
  ),
});

export type RouterConfig = z.infer<typeof routerConfigSchema>;

export function routerConfigOf(topology: Topology, socketPath: string): RouterConfig {
  return {
    localAs: layout.routerAs,
    routerId: formatAddress(topology.outside.router),
    socketPath,
    peers: topology.nodes.map((node) => ({
      name: node.name,
      address: formatAddress(node.address),
      remoteAs: layout.nodeAs,
    })),
  };
}

/**
 * Every session is passive, as on a fabric's router that knows its nodes; nothing is advertised: the
 * nodes have a default route, and their own blocks would only come back to them (AS loop).
 */
export function speakerConfigOf(config: RouterConfig): SpeakerConfig {
  return {
    localAs: config.localAs,
    routerId: ipv4(config.routerId) as Ipv4,
    listen: { port: 179 },
    gracefulRestart: { restartTimeSeconds: 120 },
    peers: config.peers.map((peer) => ({
      name: peer.name,
      address: ipv4(peer.address),
      remoteAs: peer.remoteAs,
      passive: true,
      exportPolicy: [{ action: "reject" }],
    })),
    originate: [],
  };
}
