/**
 * What this node can receive, from pass to pass: opened as soon as anybody may send it, given up when nobody
 * does, the others have been told and no socket of the host uses the tunnel's address.
 */

import type { Dataplane, KernelState } from "../dataplane/index.ts";
import type { Tunnel } from "../facts/index.ts";
import type { Clock } from "../lib/index.ts";
import { encapsulations } from "../model/index.ts";
import { type GateOutput, type GateState, initialGate, stepGate } from "../plan/index.ts";
import type { Announcer } from "./announcer.ts";
import type { Cluster } from "./cluster.ts";
import { type KeptTunnel, keptTunnels, neededTunnels } from "./needed-tunnels.ts";
import type { StoredFacts } from "./pass-input.ts";

export interface TunnelGateOptions {
  readonly node: string;
  readonly cluster: Pick<Cluster, "view" | "nodeMode">;
  readonly dataplane: Pick<Dataplane, "socketsOn">;
  readonly announcer: Pick<Announcer, "said">;
  readonly clock: Clock;
  /** How long a packet may be on its way when its encapsulation is given up. */
  readonly drainMs: number;
}

export interface TunnelGateOutput extends GateOutput {
  /** Tunnels that stay open though only sockets of this host want them. */
  readonly kept: readonly KeptTunnel[];
}

export class TunnelGate {
  readonly #options: TunnelGateOptions;
  #state: GateState | undefined;

  constructor(options: TunnelGateOptions) {
    this.#options = options;
  }

  async step(facts: StoredFacts, kernel: KernelState): Promise<TunnelGateOutput> {
    const { dataplane, node } = this.#options;
    const idle = this.#idle(facts, kernel);
    const own = facts.view.nodes.find(({ metadata }) => metadata.name === node);
    const kept = idle.length === 0 ? [] : await keptTunnels(dataplane, idle, own);
    return { ...this.#decide(facts, kernel, kept), kept };
  }

  /** Tunnels that are open, and that nobody wants: but for sockets they would be given up. */
  #idle(facts: StoredFacts, kernel: KernelState): Tunnel[] {
    const { cluster, node } = this.#options;
    const needed = neededTunnels(facts, { nodes: facts.nodes, kernel });
    const published = cluster.nodeMode(node)?.status?.accepts ?? [];
    const open = new Set([...(this.#state?.keys() ?? published), ...kernel.receives]);
    return [...open].flatMap((one) => (one === "none" || needed.has(one) ? [] : [one]));
  }

  /** Synchronous: what others have said is looked at when this node's own word is. */
  #decide(facts: StoredFacts, kernel: KernelState, kept: readonly KeptTunnel[]): GateOutput {
    const { announcer, cluster, node, clock, drainMs } = this.#options;
    const published = cluster.nodeMode(node)?.status;
    const now = { ...facts, view: cluster.view() };
    const needed = neededTunnels(now, { nodes: facts.nodes, kernel });
    for (const { tunnel } of kept) needed.add(tunnel);
    this.#state ??= initialGate([...(published?.accepts ?? []), ...kernel.receives]);
    const output = stepGate(this.#state, {
      needed,
      // Without certainty others may still read that everything is accepted.
      publishedAccepts: new Set(announcer.said?.accepts ?? encapsulations),
      silentSenders: facts.nodes.some(({ name, accepts }) => name !== node && !accepts),
      nowMs: clock.monotonicMs(),
      drainMs,
    });
    this.#state = output.state;
    return output;
  }
}
