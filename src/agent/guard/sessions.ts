/** Remembers which BGP sessions were Established while a guard ran, and since when others are not any more. */

import type { ClusterView } from "../../facts/index.ts";
import { parseAddress, parsePrefixOrAddress } from "../../lib/index.ts";
import { orderedChanges, type SessionReport } from "../../mode/index.ts";
import type { MeshStanding } from "../bgp-runner.ts";
import { untoldText } from "../mesh-progress.ts";
import type { AgentPeerStatus } from "../status.ts";

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

/**
 * What is there instead of a mesh that ends, as one peer: it is down while something is told by no Established
 * session outside of the mesh. Kept routes would outlive the reflector by two minutes, and then be gone.
 */
export function insteadOfMesh(
  { modeChanges }: Pick<ClusterView, "modeChanges">,
  standing: () => MeshStanding | undefined,
): SeenPeer[] {
  if (!orderedChanges(modeChanges).some(({ spec }) => spec.mesh === "off")) return [];
  const { untold = [] } = standing() ?? {};
  const address = "a reflector or router for every route";
  return [{ address, up: untold.length === 0, info: `down (${untoldText(untold)})` }];
}

/** Peers that are none of the nodes with an agent of ours, nor pods: routers, reflectors, other daemons. */
export function foreignPeers<P extends SeenPeer & Pick<AgentPeerStatus, "type">>(
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
  return peers.filter(
    ({ address, type }) => type !== "local workload" && !own.has(parseAddress(address)),
  );
}
