/**
 * The address at which a node is probed while a mode change runs: to the fabric a pod's like any other. An
 * ordinary allocation, out of a block of the node's own where there is room; its handle finds it again,
 * whoever died before it could be given back.
 */

import {
  formatPrefix,
  hasCode,
  type IpAddress,
  type Prefix,
  prefixContains,
  prefixFamily,
  SwitchyardError,
} from "../lib/index.ts";
import { autoAssign } from "./auto-assign.ts";
import type { IpamContext } from "./context.ts";
import { addressesOfHandle } from "./lookup.ts";
import { readPools } from "./read-pools.ts";
import { releaseHandle } from "./release.ts";

export interface ProbeAddressRequest {
  readonly node: string;
  /** CIDR of the pool that changes. */
  readonly pool: Prefix;
}

function probeHandle(node: string): string {
  return `switchyard-probe-${node}`;
}

/** The probe address that the node has, in whatever pool. */
export async function findProbeAddress(
  context: IpamContext,
  node: string,
): Promise<IpAddress | undefined> {
  return (await addressesOfHandle(context, probeHandle(node)))[0];
}

/** The one it has, if that lies in the pool; else a new one, and the old is given back. @throws IPAM_EXHAUSTED. */
export async function ensureProbeAddress(
  context: IpamContext,
  { node, pool }: ProbeAddressRequest,
): Promise<IpAddress> {
  const held = await findProbeAddress(context, node);
  if (held !== undefined && prefixContains(pool, held)) return held;
  if (held !== undefined) await releaseProbeAddress(context, node);
  const asked = (await readPools(context)).find(
    ({ cidr }) => cidr.address === pool.address && cidr.length === pool.length,
  );
  const { addresses, messages } = await autoAssign(context, {
    count: 1,
    handle: probeHandle(node),
    attributes: { node, type: "probeAddress" },
    node,
    // Whatever the pool gives addresses for: what is probed is the way to them.
    use: asked?.allowedUses.includes("Workload") === false ? "Tunnel" : "Workload",
    family: prefixFamily(pool),
    pools: [pool],
  });
  const [address] = addresses;
  if (address !== undefined) return address;
  throw new SwitchyardError(
    "IPAM_EXHAUSTED",
    `no probe address for node ${node} in pool ${formatPrefix(pool)}: ${messages.join("; ")}`,
  );
}

/** Nothing to give back is no error. */
export async function releaseProbeAddress(context: IpamContext, node: string): Promise<void> {
  try {
    await releaseHandle(context, probeHandle(node));
  } catch (error) {
    if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
  }
}
