/** The door of address management: one object over a datastore, which holds all state there is. */

import type { Datastore } from "../datastore/index.ts";
import {
  type Clock,
  formatPrefix,
  type IpAddress,
  maskPrefix,
  type Prefix,
  prefixCovers,
  SwitchyardError,
} from "../lib/index.ts";
import { type Log, silentLog } from "../lib/log/index.ts";
import { claimBlock, listHostBlocks, releaseBlocks } from "./affinity.ts";
import { type AssignIpRequest, assignIp } from "./assign-ip.ts";
import { type AutoAssignRequest, type AutoAssignResult, autoAssign } from "./auto-assign.ts";
import type { Allocation } from "./block.ts";
import { blocksInOrder } from "./block-order.ts";
import type { IpamContext } from "./context.ts";
import { addressesOfHandle, allocationOf } from "./lookup.ts";
import {
  ensureProbeAddress,
  findProbeAddress,
  type ProbeAddressRequest,
  releaseProbeAddress,
} from "./probe.ts";
import { readPools } from "./read-pools.ts";
import { type ReleaseRequest, releaseAddresses, releaseHandle } from "./release.ts";
import { ensureTunnelAddress, type TunnelAddressRequest } from "./tunnel.ts";

export interface IpamOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  /** In [0,1); `Math.random` unless told. */
  readonly random?: () => number;
  readonly log?: Log;
}

/** Any number of these, in any processes, may work on one datastore at once. */
export class Ipam {
  readonly #context: IpamContext;

  constructor(options: IpamOptions) {
    this.#context = {
      random: Math.random,
      log: silentLog,
      lastBlocks: new Map(),
      ...options,
    };
  }

  /** Addresses of the pools that serve the node. Fewer than asked for is not an error. */
  autoAssign(request: AutoAssignRequest): Promise<AutoAssignResult> {
    return autoAssign(this.#context, request);
  }

  /** One chosen address. @throws RESOURCE_ALREADY_EXISTS if it is taken. */
  assignIp(request: AssignIpRequest): Promise<void> {
    return assignIp(this.#context, request);
  }

  /** Addresses that are not allocated are no error; they come back. */
  async releaseIps(requests: readonly ReleaseRequest[]): Promise<{ unallocated: IpAddress[] }> {
    return { unallocated: await releaseAddresses(this.#context, requests) };
  }

  /** @throws RESOURCE_NOT_FOUND if there is no such handle. */
  releaseByHandle(handle: string): Promise<void> {
    return releaseHandle(this.#context, handle);
  }

  allocationOf(address: IpAddress): Promise<Allocation> {
    return allocationOf(this.#context, address);
  }

  addressesOfHandle(handle: string): Promise<IpAddress[]> {
    return addressesOfHandle(this.#context, handle);
  }

  /** Claims every block of `cidr`; `failed` ones belong to others. */
  async claimAffinity(claim: {
    readonly node: string;
    readonly cidr: Prefix;
  }): Promise<{ claimed: Prefix[]; failed: Prefix[] }> {
    const cidr = maskPrefix(claim.cidr);
    const pools = await readPools(this.#context);
    const pool = pools.find((entry) => entry.enabled && prefixCovers(entry.cidr, cidr));
    if (pool === undefined || cidr.length > pool.blockSize) {
      throw new SwitchyardError(
        pool === undefined ? "IPAM_NO_POOL" : "INVALID_ARGUMENT",
        `cannot claim ${formatPrefix(cidr)} for node ${claim.node}: it is ${
          pool === undefined ? "in no enabled pool" : `smaller than a block (/${pool.blockSize})`
        }`,
      );
    }
    const claimed: Prefix[] = [];
    const failed: Prefix[] = [];
    for (const block of blocksInOrder({ pool: cidr, blockSize: pool.blockSize, start: 0n })) {
      const own = await claimBlock(this.#context, { node: claim.node, cidr: block });
      (own === undefined ? failed : claimed).push(block);
    }
    return { claimed, failed };
  }

  /** Gives up the node's blocks inside `cidr`. @throws RESOURCE_CONFLICT naming those in use, if `requireEmpty`. */
  async releaseAffinity(release: {
    readonly node: string;
    readonly cidr: Prefix;
    readonly requireEmpty: boolean;
  }): Promise<void> {
    const { node, cidr, requireEmpty } = release;
    const blocks = await listHostBlocks(this.#context, { node, within: cidr });
    await releaseBlocks(this.#context, { blocks, requireEmpty });
  }

  /** Gives up every block of a pool; addresses in use stay allocated. */
  async releasePoolAffinities(cidr: Prefix): Promise<void> {
    const blocks = await listHostBlocks(this.#context, { within: cidr });
    await releaseBlocks(this.#context, { blocks, requireEmpty: false });
  }

  /** Gives up every block of a node; addresses in use stay allocated. */
  async releaseHostAffinities(node: string): Promise<void> {
    const blocks = await listHostBlocks(this.#context, { node });
    await releaseBlocks(this.#context, { blocks, requireEmpty: false });
  }

  /** The node's probe address, in whatever pool. */
  findProbeAddress(node: string): Promise<IpAddress | undefined> {
    return findProbeAddress(this.#context, node);
  }

  /** The node's probe address in this pool, kept if it has one there. @throws IPAM_EXHAUSTED. */
  ensureProbeAddress(request: ProbeAddressRequest): Promise<IpAddress> {
    return ensureProbeAddress(this.#context, request);
  }

  /** Nothing to give back is no error. */
  releaseProbeAddress(node: string): Promise<void> {
    return releaseProbeAddress(this.#context, node);
  }

  /** The node's tunnel address, kept if it is still right; `undefined` without an eligible pool. */
  ensureTunnelAddress(request: TunnelAddressRequest): Promise<IpAddress | undefined> {
    return ensureTunnelAddress(this.#context, request);
  }
}
