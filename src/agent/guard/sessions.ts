/** Remembers which BGP sessions were Established while a guard ran, and since when others are not any more. */

import type { ClusterView } from "../../facts/index.ts";
import { parseAddress, parsePrefixOrAddress } from "../../lib/index.ts";
import type { SessionReport } from "../../mode/index.ts";

export interface SeenPeer {
  readonly address: string;
  readonly up: boolean;
  readonly info: string;
}

export class SessionWatch {
  /** By the peer's address: since when it is down; undefined: it is not. */
  readonly #known = new Map<string, number | undefined>();

  /** Those that were Established once, are still configured, and are not now. */
  look(nowMs: number, peers: readonly SeenPeer[]): SessionReport[] {
    const configured = new Set(peers.map(({ address }) => address));
    for (const peer of this.#known.keys()) if (!configured.has(peer)) this.#known.delete(peer);
    return peers.flatMap(({ address, up, info }): SessionReport[] => {
      if (up) this.#known.set(address, undefined);
      if (up || !this.#known.has(address)) return [];
      const sinceMs = this.#known.get(address) ?? nowMs;
      this.#known.set(address, sinceMs);
      return [{ peer: address, downMs: nowMs - sinceMs, info }];
    });
  }
}

/** Peers that are none of the nodes with an agent of ours: routers, reflectors, other daemons. */
export function foreignPeers<P extends SeenPeer>(
  peers: readonly P[],
  { nodes, nodeModes }: Pick<ClusterView, "nodes" | "nodeModes">,
): P[] {
  const agents = new Set(nodeModes.map(({ metadata }) => metadata.name));
  const own = new Set(
    nodes
      .filter(({ metadata }) => agents.has(metadata.name))
      .flatMap(({ spec }) => [spec.bgp?.ipv4Address, spec.bgp?.ipv6Address])
      .map((text) => parsePrefixOrAddress(text ?? "")?.address),
  );
  return peers.filter(({ address }) => !own.has(parseAddress(address)));
}
