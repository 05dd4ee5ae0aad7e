/**
 * Keeps the node's probe address in IPAM as long as a mode change has orders: taken before anything uses it,
 * given back after the kernel has let go of it. IPAM alone remembers: a new agent finds what an old one took.
 */

import type { Ipam } from "../ipam/index.ts";
import { type IpAddress, type Prefix, prefixContains } from "../lib/index.ts";

export interface ProbeAddressInput {
  /** CIDR of the pool that changes; undefined: nobody probes. */
  readonly pool: Prefix | undefined;
  /** The plan that the kernel holds has the address. */
  readonly planned: boolean;
}

export class ProbeAddress {
  readonly #ipam: Pick<Ipam, "findProbeAddress" | "ensureProbeAddress" | "releaseProbeAddress">;
  readonly #node: string;
  /** IPAM has been asked what a predecessor left. */
  #known = false;
  #current: IpAddress | undefined;

  constructor(
    ipam: Pick<Ipam, "findProbeAddress" | "ensureProbeAddress" | "releaseProbeAddress">,
    node: string,
  ) {
    this.#ipam = ipam;
    this.#node = node;
  }

  /** What IPAM gave this node. */
  get current(): IpAddress | undefined {
    return this.#current;
  }

  /**
   * Learns what an agent before this one took: to be called before anything is planned while somebody probes, or
   * the first pass would take the address away from under those who probe it. @throws what IPAM answers.
   */
  async restore(): Promise<void> {
    if (this.#known) return;
    this.#current = await this.#ipam.findProbeAddress(this.#node);
    this.#known = true;
  }

  /** True if another address is to be planned now. @throws what IPAM answers. */
  async sync({ pool, planned }: ProbeAddressInput): Promise<boolean> {
    const first = !this.#known;
    if (first) await this.restore();
    const before = this.#current;
    if (pool !== undefined && before !== undefined && prefixContains(pool, before)) return first;
    // Nobody else may get it while this kernel has it.
    if (before !== undefined && !planned) {
      await this.#ipam.releaseProbeAddress(this.#node);
      this.#current = undefined;
    }
    if (pool === undefined || this.#current !== undefined) return false;
    this.#current = await this.#ipam.ensureProbeAddress({ node: this.#node, pool });
    return true;
  }
}
