/** What an IP-in-IP tunnel is to its caller, whichever kernel machinery carries it. */

import type { Ipv4, Prefix4 } from "../../lib/index.ts";

/** The full desired state; {@link IpipBackend.apply} makes the kernel hold exactly this. */
export interface IpipState {
  /** `tunl0`. Must be the same in every state given to one backend. */
  readonly device: string;
  /** Of the tunnel device: the uplink's less 20. */
  readonly mtu: number;
  /** The /32 of the tunnel device. Its assignment is the netlink driver's; it is here to be shown. */
  readonly address?: Ipv4;
  /** Interface index of the device that carries the outer packets. */
  readonly uplink: number;
  /** Lower-case `aa:bb:...`; a new tunnel device of the bpf backend takes it over. */
  readonly uplinkMac: string;
  /** The node's address: outer source, and the outer destination that is ours. */
  readonly local: Ipv4;
  /** Decapsulate; otherwise what arrives is dropped and counted. */
  readonly accept: boolean;
  /** The nodes whose packets are decapsulated. The kernel backend leaves this check to nftables. */
  readonly senders: readonly Ipv4[];
  /** Block -> node. The kernel backend reads the same from the routes on the device. */
  readonly destinations: readonly IpipDestination[];
}

export interface IpipDestination {
  readonly prefix: Prefix4;
  readonly node: Ipv4;
}

/** Packets since the tunnel was set up; a GSO packet counts once. */
export interface IpipCounters {
  readonly encapsulated: number;
  readonly decapsulated: number;
  /** Dropped: sent into the tunnel to an address that no destination covers. */
  readonly noDestination: number;
  /** Dropped: from a node that is not among the senders. */
  readonly unknownSender: number;
  /** Dropped: arrived while `accept` was off. */
  readonly notAccepted: number;
  /** Dropped: something other than IPv4 sent into the tunnel. */
  readonly notIpv4: number;
  /** Dropped: malformed, or refused by the kernel. */
  readonly errors: number;
}

export interface IpipBackend {
  /** `kernel`: the ipip module. `bpf`: tc programs on an `ifb` device. */
  readonly kind: "kernel" | "bpf";
  /**
   * Makes the kernel hold `state`: additions first, then the device up, deletions last. Idempotent;
   * calls are carried out one after the other. @throws INVALID_ARGUMENT, NETLINK_REFUSED,
   * BPF_LOAD_FAILED, SYSTEM_CALL_FAILED; what was added by then stays.
   */
  apply(state: IpipState): Promise<void>;
  /** All zero as long as there is no tunnel. Those the kernel does not count are zero for `kernel`. */
  counters(): Promise<IpipCounters>;
  /** Takes the tunnel down, with everything this backend, or a predecessor, put into the kernel. */
  remove(): Promise<void>;
  /** Releases this process's handles. The tunnel goes on working. */
  close(): void;
}
