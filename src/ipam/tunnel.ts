/**
 * The address a node's tunnel device carries: an ordinary allocation from one of the node's blocks,
 * kept as long as it is the node's and lies in a pool that still uses this encapsulation.
 */

import {
  type Family,
  hasCode,
  type IpAddress,
  type Prefix,
  parseAddress,
  prefixContains,
  SwitchyardError,
} from "../lib/index.ts";
import type { Node } from "../model/index.ts";
import { assignIp } from "./assign-ip.ts";
import { autoAssign } from "./auto-assign.ts";
import type { Allocation, Attributes } from "./block.ts";
import type { IpamContext } from "./context.ts";
import { addressesOfHandle, allocationOf } from "./lookup.ts";
import { readOptional } from "./records.ts";
import { releaseAddresses, releaseHandle } from "./release.ts";

export type TunnelAddressType = "ipipTunnelAddress" | "vxlanTunnelAddress" | "vxlanV6TunnelAddress";

export interface TunnelAddressRequest {
  readonly node: string;
  readonly type: TunnelAddressType;
  /** Pools that use this encapsulation, serve this node and allow tunnel addresses. */
  readonly pools: readonly Prefix[];
}

const rules: Record<
  TunnelAddressType,
  {
    readonly handle: string;
    readonly family: Family;
    readonly published: (node: Node) => string | undefined;
  }
> = {
  ipipTunnelAddress: {
    handle: "ipip-tunnel-addr-",
    family: 4,
    published: (node) => node.spec.bgp?.ipv4IPIPTunnelAddr,
  },
  vxlanTunnelAddress: {
    handle: "vxlan-tunnel-addr-",
    family: 4,
    published: (node) => node.spec.ipv4VXLANTunnelAddr,
  },
  vxlanV6TunnelAddress: {
    handle: "vxlan-v6-tunnel-addr-",
    family: 6,
    published: (node) => node.spec.ipv6VXLANTunnelAddr,
  },
};

/** The handle under which a node's tunnel address is allocated. */
export function tunnelHandle(type: TunnelAddressType, node: string): string {
  return `${rules[type].handle}${node}`;
}

/**
 * The node's tunnel address: the one it has if that is still right, else a new one. `undefined`, and
 * nothing allocated, when no pool is eligible. The caller publishes the result in the Node.
 */
export async function ensureTunnelAddress(
  context: IpamContext,
  request: TunnelAddressRequest,
): Promise<IpAddress | undefined> {
  const { node, type, pools } = request;
  const handle = tunnelHandle(type, node);
  const attributes = { node, type };
  const resource = await readOptional(context.store, "Node", node);
  const current = parseAddress((resource && rules[type].published(resource)) ?? "");
  const allocation = current === undefined ? undefined : await allocationOf(context, current);

  if (pools.length === 0) {
    await releaseIfAny(context, handle);
    if (current !== undefined && isUnclaimed(allocation)) {
      await releaseAddresses(context, [{ address: current }]);
    }
    return undefined;
  }
  const eligible = (address: IpAddress) => pools.some((pool) => prefixContains(pool, address));
  if (current !== undefined && eligible(current) && belongsTo(allocation, attributes)) {
    return current;
  }
  // Died between allocating and publishing, or the Node was written over: the handle still knows.
  for (const address of await addressesOfHandle(context, handle)) {
    if (eligible(address) && belongsTo(await allocationOf(context, address), attributes))
      return address;
  }
  await releaseIfAny(context, handle);
  if (current !== undefined && isUnclaimed(allocation)) {
    await releaseAddresses(context, [{ address: current }]);
    if (eligible(current)) {
      await assignIp(context, { address: current, handle, attributes, node, use: "Tunnel" });
      return current;
    }
  }
  const assigned = await autoAssign(context, {
    count: 1,
    handle,
    attributes,
    node,
    use: "Tunnel",
    family: rules[type].family,
    pools,
  });
  const address = assigned.addresses[0];
  if (address !== undefined) return address;
  throw new SwitchyardError(
    "IPAM_EXHAUSTED",
    `no address for the tunnel of node ${node} (${type}): ${assigned.messages.join("; ")}`,
  );
}

function belongsTo(allocation: Allocation | undefined, wanted: Attributes): boolean {
  if (allocation?.kind !== "allocated") return false;
  return Object.entries(wanted).every(([key, value]) => allocation.attributes[key] === value);
}

/** Very old allocations have neither handle nor attributes. */
function isUnclaimed(allocation: Allocation | undefined): boolean {
  return (
    allocation?.kind === "allocated" &&
    !allocation.handle &&
    Object.keys(allocation.attributes).length === 0
  );
}

async function releaseIfAny(context: IpamContext, handle: string): Promise<void> {
  try {
    await releaseHandle(context, handle);
  } catch (error) {
    if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
  }
}
