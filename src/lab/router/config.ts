/** What the lab's router process is told, as a file: sessions with every node, and where to answer. */

import { z } from "zod";
import type { SpeakerConfig } from "../../bgp/index.ts";
import { familyOf, formatAddress, type Ipv4, ipAddress, ipv4 } from "../../lib/index.ts";
import { layout, type Topology } from "../topology.ts";

const addressSchema = z.union([z.ipv4(), z.ipv6()]);

export const routerConfigSchema = z.strictObject({
  localAs: z.int().positive(),
  routerId: z.ipv4(),
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
    peers: topology.nodes.flatMap(({ name, address, address6 }) => {
      const common = { remoteAs: layout.nodeAs };
      const four = { name, address: formatAddress(address), ...common };
      if (address6 === undefined) return [four];
      return [four, { name: `${name}-v6`, address: formatAddress(address6), ...common }];
    }),
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
    listen: [{ port: 179 }],
    gracefulRestart: { restartTimeSeconds: 120 },
    peers: config.peers.map((peer) => ({
      name: peer.name,
      address: ipAddress(peer.address),
      families: [familyOf(ipAddress(peer.address)) === 4 ? "ipv4-unicast" : "ipv6-unicast"],
      remoteAs: peer.remoteAs,
      passive: true,
      exportPolicy: [{ action: "reject" }],
    })),
    originate: [],
  };
}
