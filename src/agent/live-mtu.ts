/** What the agent does about the MTU of running pods: the pure step, fed from the snapshot and the kernel. */

import { encapsulations, type NodeMode } from "../model/index.ts";
import {
  encapsulationMtus,
  type PodMtu,
  planMtu,
  type SaidMtu,
  type Snapshot,
  stepPodMtu,
} from "../plan/index.ts";

export interface LiveMtuInput {
  readonly snapshot: Snapshot;
  /** Of host ends of pods' veths, by name. */
  readonly podMtus: ReadonlyMap<string, number>;
  /** This node's last word; undefined while it is not certain. */
  readonly said: SaidMtu | undefined;
  readonly nodeModes: readonly NodeMode[];
  readonly nowMs: number;
}

export interface LiveMtuOutput {
  /** Absent: pods stay as they are for now. */
  readonly podMtu?: PodMtu;
  /** To be said when the kernel holds it. */
  readonly tell: SaidMtu;
  readonly wakeAtMs: number | undefined;
}

export class LiveMtu {
  readonly #drainMs: number;
  /** Every MTU that was right for a pod while this agent ran: pods that have it were given it. */
  readonly #known: Set<number>;
  #quietSinceMs: number | undefined;

  /** `held`: what a predecessor told the CNI plugin last. */
  constructor(options: { readonly drainMs: number; readonly held: number | undefined }) {
    this.#drainMs = options.drainMs;
    this.#known = new Set(options.held === undefined ? [] : [options.held]);
  }

  step({ snapshot, podMtus, said, nodeModes, nowMs }: LiveMtuInput): LiveMtuOutput {
    const { node, nodes, host, settings, workloads } = snapshot;
    const mtus = encapsulationMtus(host, settings);
    const wanted = planMtu(snapshot);
    for (const encapsulation of encapsulations) this.#known.add(mtus[encapsulation]);
    for (const mtu of [wanted.pods, said?.accepts ?? 0]) this.#known.add(mtu);
    const held = workloads.flatMap(({ device }) => {
      const mtu = podMtus.get(device);
      return mtu !== undefined && this.#known.has(mtu) ? [mtu] : [];
    });
    // The word of a node that is no more counts for nothing.
    const alive = new Set(nodes.map(({ name }) => name).filter((name) => name !== node));
    const { limits, tell, quietSinceMs, wakeAtMs } = stepPodMtu({
      wanted: wanted.pods,
      host: wanted.host,
      held: held.length === 0 ? undefined : Math.max(...held),
      said,
      others: nodeModes.flatMap(({ metadata, status }) =>
        alive.has(metadata.name) && status?.mtu ? [status.mtu] : [],
      ),
      nowMs,
      drainMs: this.#drainMs,
      quietSinceMs: this.#quietSinceMs,
    });
    this.#quietSinceMs = quietSinceMs;
    for (const mtu of Object.values(limits ?? {})) this.#known.add(mtu);
    const podMtu = limits && { podMtu: { ...limits, known: [...this.#known] } };
    return { ...podMtu, tell, wakeAtMs };
  }
}
