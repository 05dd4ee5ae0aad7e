/** The addresses that this node has of IPAM for itself: of its tunnels, and where it is probed. */

import type { Dataplane } from "../dataplane/index.ts";
import type { Datastore } from "../datastore/index.ts";
import { Ipam } from "../ipam/index.ts";
import type { Clock, IpAddress } from "../lib/index.ts";
import { widenedPools } from "../mode/index.ts";
import { PROBE_DEVICE } from "../plan/index.ts";
import type { Cluster } from "./cluster.ts";
import { useOf } from "./needed-tunnels.ts";
import { ProbeAddress } from "./probe-address.ts";
import { probedPool } from "./probing.ts";
import type { PassResult } from "./reconciler.ts";
import { syncTunnelAddresses } from "./tunnel-addresses.ts";

export interface OwnAddressesOptions {
  readonly node: string;
  readonly store: Datastore;
  readonly clock: Clock;
  readonly cluster: Pick<Cluster, "view" | "connected">;
}

export class OwnAddresses {
  readonly #options: OwnAddressesOptions;
  readonly #ipam: Ipam;
  readonly #probe: ProbeAddress;

  constructor(options: OwnAddressesOptions) {
    this.#options = options;
    this.#ipam = new Ipam(options);
    this.#probe = new ProbeAddress(this.#ipam, options.node);
  }

  /** Where this node is to be probed. */
  get probe(): IpAddress | undefined {
    return this.#probe.current;
  }

  /** Before a pass. @throws what IPAM answers. */
  async restore(): Promise<void> {
    if (probedPool(this.#options.cluster.view())) await this.#probe.restore();
  }

  /** After a pass. @throws what IPAM and the datastore answer. */
  async syncTunnels(result: PassResult, dataplane: Pick<Dataplane, "socketsOn">): Promise<void> {
    const { cluster, store, node: name } = this.#options;
    const { nodes, pools, modeChanges } = cluster.view();
    const node = nodes.find(({ metadata }) => metadata.name === name);
    if (!node || !cluster.connected) return;
    await syncTunnelAddresses(this.#ipam, store, {
      node,
      pools: [...pools, ...widenedPools(pools, modeChanges)],
      receive: new Set(result.receive),
      useOf: (address) => useOf(dataplane, address),
    });
  }

  /** After a pass; true if another one is needed. @throws what IPAM answers. */
  async syncProbe({ plan, actual }: PassResult): Promise<boolean> {
    const { cluster } = this.#options;
    if (!cluster.connected) return false;
    const pool = probedPool(cluster.view())?.cidr;
    // One that could not be removed is in the kernel still.
    const planned =
      plan.addresses.some(({ device }) => device === PROBE_DEVICE) ||
      actual.failures.some(({ object }) => object.endsWith(` dev ${PROBE_DEVICE}`));
    return this.#probe.sync({ pool, planned });
  }
}
