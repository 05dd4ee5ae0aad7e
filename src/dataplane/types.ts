/** The dataplane contract: full desired state in, what the kernel really holds out. */

import type { IpAddress } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { HostSocket } from "../netlink/index.ts";
import type { Difference, HostFacts, NodePlan, PrefixChange } from "../plan/index.ts";

/** What the kernel holds, as far as planning needs it. */
export interface KernelState {
  readonly host: HostFacts;
  /** Destination of every owned route that leads to another node, by what carries it. */
  readonly current: ReadonlyMap<string, Encapsulation>;
  /** Tunnel devices that exist: what this node can receive already. */
  readonly receives: readonly Encapsulation[];
  /** MTU of the host ends of pods' veths, by name. */
  readonly podMtus: ReadonlyMap<string, number>;
}

export interface Failure {
  /** The object, as an operator would name it: `route 10.244.1.0/26`, `device vxlan.calico`. */
  readonly object: string;
  /** What was attempted and what the kernel said. */
  readonly message: string;
}

export interface Actual {
  /** As KernelState.current, after the apply. */
  readonly current: ReadonlyMap<string, Encapsulation>;
  /** Encapsulations that the kernel would now deliver, `none` included. */
  readonly receives: readonly Encapsulation[];
  readonly failures: readonly Failure[];
  readonly ipipBackend?: "kernel" | "bpf";
  /** Changes made; 0 when the kernel held the plan already. */
  readonly changes: number;
}

/** Plan against kernel. */
export interface Comparison {
  /** How many objects the plan holds. */
  readonly objects: number;
  readonly differences: readonly Difference[];
}

export interface Dataplane {
  /**
   * Reads the kernel. `nodeAddresses` (one or one of each family) find the uplink of each family: the
   * device that holds it.
   */
  read(...nodeAddresses: readonly string[]): Promise<KernelState>;
  /** Makes the kernel hold the plan. Idempotent; a refused object does not stop the others. */
  apply(plan: NodePlan): Promise<Actual>;
  /**
   * As {@link apply}, where the plan differs from the one applied last in these prefixes only; the work is
   * that of the changes. Undefined, and nothing done, if there is not enough to go by: the last apply had
   * failures, something else changed in the kernel since, or the changes need more than routes.
   */
  applyChanges(plan: NodePlan, changes: readonly PrefixChange[]): Promise<Actual | undefined>;
  /** Holds the kernel against the plan, object by object, and changes nothing. */
  compare(plan: NodePlan): Promise<Comparison>;
  /** TCP and UDP sockets of the host that use this address as their own. */
  socketsOn(address: IpAddress): Promise<readonly HostSocket[]>;
  /** Called when something that may be ours changed behind our back. */
  onDrift(listener: () => void): () => void;
  /** Lets go of the kernel without changing anything in it. */
  close(): Promise<void>;
}
