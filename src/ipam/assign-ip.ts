/** One address that the caller chose. */

import { formatAddress, type IpAddress, SwitchyardError } from "../lib/index.ts";
import { claimBlock, readBlock } from "./affinity.ts";
import { writeAllocation } from "./allocate.ts";
import {
  type Attributes,
  allocateOrdinal,
  allocationAt,
  collectReleased,
  ordinalOfAddress,
} from "./block.ts";
import { blockOf } from "./block-order.ts";
import type { IpamContext } from "./context.ts";
import { cleanHandle, hostAffinity } from "./names.ts";
import { poolOf, type Use } from "./pools.ts";
import { readPools } from "./read-pools.ts";
import { again, done, retryRaces } from "./records.ts";
import { readSettings } from "./settings.ts";

export interface AssignIpRequest {
  readonly address: IpAddress;
  readonly handle: string;
  readonly attributes: Attributes;
  readonly node: string;
  /** Checked against the pool's allowed uses, when given. */
  readonly use?: Use;
}

export async function assignIp(context: IpamContext, request: AssignIpRequest): Promise<void> {
  const { address, node, use, attributes } = request;
  const text = formatAddress(address);
  const handle = cleanHandle(request.handle);
  const pools = (await readPools(context)).filter((pool) => pool.enabled);
  const pool = poolOf(pools, address);
  if (pool === undefined) {
    throw new SwitchyardError(
      "IPAM_NO_POOL",
      `The provided IP address ${text} is not in a configured pool`,
    );
  }
  if (use !== undefined && !pool.allowedUses.includes(use)) {
    throw new SwitchyardError(
      "IPAM_NO_POOL",
      `The provided IP address ${text} is in a pool that does not allow the use ${use}`,
    );
  }
  const settings = await readSettings(context.store);
  const cidr = blockOf(pool.blockSize, address);
  const affinity = hostAffinity(node);
  await retryRaces(`assign ${text} to node ${node}`, async () => {
    let block = await readBlock(context, cidr);
    if (block === undefined || block.spec.affinity === affinity) {
      block = await claimBlock(context, { node, cidr });
      if (block === undefined) return again;
    } else if (settings.strictAffinity) {
      throw new SwitchyardError(
        "IPAM_STRICT_AFFINITY",
        `cannot assign ${text} on node ${node}: its block belongs to ${block.spec.affinity ?? "nobody"} and strict affinity is on`,
      );
    }
    const spec = collectReleased(block.spec, { nowMs: context.clock.now(), ...settings });
    const ordinal = ordinalOfAddress(spec, address);
    if (ordinal === undefined || allocationAt(spec, ordinal).kind !== "free") {
      throw new SwitchyardError(
        "RESOURCE_ALREADY_EXISTS",
        `resource already exists: ${text} with error: Address already assigned in block`,
      );
    }
    const next = allocateOrdinal(spec, { ordinal, handle, attributes });
    return (await writeAllocation(context, { block, next, handle, count: 1 }))
      ? done(undefined)
      : again;
  });
}
