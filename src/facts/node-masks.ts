/**
 * The mask of the local node's address. CrossSubnet asks whether another node is in the local node's
 * subnet; an address stored without a mask counts as a subnet of its own (Calico's rule), and then
 * CrossSubnet silently encapsulates everywhere. The device that holds the address knows better. Pure.
 */

import {
  type Family,
  formatAddress,
  formatPrefix,
  type IpAddress,
  prefixContains,
} from "../lib/index.ts";
import { addressOf, type HostFacts, type NodeFacts, type PoolFacts } from "../plan/index.ts";

const HOST_LENGTH = { 4: 32, 6: 128 } as const;
const families = [4, 6] as const;

export interface MaskInput {
  /** Name of the local node. */
  readonly node: string;
  readonly nodes: readonly NodeFacts[];
  readonly pools: readonly Pick<PoolFacts, "ipipMode" | "vxlanMode">[];
  readonly host: Pick<HostFacts, "uplink" | "uplink6">;
}

export interface MaskResult {
  /** As given, the local node's with the masks that count. */
  readonly nodes: readonly NodeFacts[];
  /** One line per stored address that has no mask; none where no pool depends on masks. */
  readonly warnings: readonly string[];
}

/** Only the local mask counts here: a remote node's decides only what that node sends. */
export function resolveMasks({ node, nodes, pools, host }: MaskInput): MaskResult {
  const matters = pools.some((pool) => [pool.ipipMode, pool.vxlanMode].includes("CrossSubnet"));
  const warnings: string[] = [];
  const resolved = nodes.map((facts) => {
    let result = facts;
    for (const family of families) {
      const stored = addressOf(facts, family);
      if (stored?.prefixLength !== HOST_LENGTH[family]) continue;
      const { address } = stored;
      const uplink = family === 4 ? host.uplink : (host.uplink6 ?? host.uplink);
      const local = facts.name === node;
      const prefixLength = (local ? uplink.prefixLength : undefined) ?? stored.prefixLength;
      result = { ...result, [family === 4 ? "ipv4" : "ipv6"]: { ...stored, prefixLength } };
      if (!matters) continue;
      const what = `Node ${facts.name}: spec.bgp.ipv${family}Address ${formatAddress(address)} has no mask`;
      const said = { what, address, family };
      warnings.push(
        local
          ? localWarning({ ...said, prefixLength, device: uplink.name })
          : remoteWarning(said, nodes),
      );
    }
    return result;
  });
  return { nodes: resolved, warnings };
}

interface Unmasked {
  readonly what: string;
  readonly address: IpAddress;
  readonly family: Family;
}

function localWarning(
  found: Unmasked & { readonly prefixLength: number; readonly device: string },
): string {
  const { what, address, family, prefixLength: length, device } = found;
  if (length === HOST_LENGTH[family]) {
    return `${what}, and ${device} has none either: CrossSubnet encapsulates to every node`;
  }
  return `${what}: CrossSubnet goes by the /${length} of ${device}; store ${formatPrefix({ address, length })}`;
}

function remoteWarning({ what, address, family }: Unmasked, nodes: readonly NodeFacts[]): string {
  // Where others keep the subnet's length, it is known here too.
  const length = nodes
    .map((node) => addressOf(node, family))
    .find(
      (other) =>
        other !== undefined &&
        other.prefixLength !== HOST_LENGTH[family] &&
        prefixContains({ address: other.address, length: other.prefixLength }, address),
    )?.prefixLength;
  const advice = length === undefined ? "" : `: store ${formatPrefix({ address, length })}`;
  return `${what}, which the CrossSubnet of an agent other than Switchyard's takes for a subnet of its own${advice}`;
}
