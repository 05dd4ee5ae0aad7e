/** The sessions of a node as they are asked for: which of several with one address is made, and which cannot be. */

import { type PeerConfig, peerProblem } from "../../bgp/index.ts";
import type { IpAddress } from "../../lib/index.ts";

/** Calico's words for where a peering comes from; it has none for pods of the node. */
export type PeeringType = "node-to-node mesh" | "global" | "node specific" | "local workload";

export class PeerBook {
  readonly types = new Map<string, PeeringType>();
  readonly #byAddress = new Map<IpAddress, PeerConfig>();
  readonly #own: readonly IpAddress[];
  readonly #problems: string[];

  /** `own`: addresses of the node, with which it has no session. */
  constructor(own: readonly IpAddress[], problems: string[]) {
    this.#own = own;
    this.#problems = problems;
  }

  get peers(): readonly PeerConfig[] {
    return [...this.#byAddress.values()];
  }

  /** The first that has an address has it; what the speaker would refuse is left out, and takes nothing else down. */
  add(peer: PeerConfig, type: PeeringType): void {
    if (this.#own.includes(peer.address)) return;
    const taken = this.#byAddress.get(peer.address);
    if (taken) {
      if (taken.port !== peer.port) {
        this.#problems.push(
          `${peer.name}: there is a session with that address already, ${taken.name}`,
        );
      }
      return;
    }
    const problem = peerProblem(peer);
    if (problem !== undefined) {
      this.#problems.push(`${peer.name} is left out: ${problem}`);
      return;
    }
    this.#byAddress.set(peer.address, peer);
    this.types.set(peer.name, type);
  }
}
