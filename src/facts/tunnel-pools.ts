/** Which pools a node's tunnel address may come from. Pure. */

import { type Prefix, parsePrefix } from "../lib/index.ts";
import { type Encapsulation, type IPPool, type Labels, parseSelector } from "../model/index.ts";
import { poolTunnel } from "../plan/index.ts";

export type Tunnel = Exclude<Encapsulation, "none">;

export interface TunnelPoolQuery {
  readonly pools: readonly IPPool[];
  /** Of the node. */
  readonly labels: Labels;
  readonly tunnel: Tunnel;
}

/**
 * Pools of this encapsulation that serve the node, allow tunnel addresses, and are neither disabled nor
 * being deleted (Calico's rule). A pool whose selector cannot be read serves nobody: an address from
 * it could not be told from one that was given by mistake.
 */
export function eligibleTunnelPools({ pools, labels, tunnel }: TunnelPoolQuery): Prefix[] {
  return pools.flatMap(({ metadata, spec }) => {
    const cidr = parsePrefix(spec.cidr);
    if (cidr === undefined) return [];
    const { ipipMode = "Never", vxlanMode = "Never" } = spec;
    const mode = poolTunnel({ cidr, ipipMode, vxlanMode });
    const uses = spec.allowedUses ?? [];
    if (mode !== tunnel || spec.disabled || metadata.deletionTimestamp) return [];
    if (uses.length > 0 && !uses.includes("Tunnel")) return [];
    return selects(spec.nodeSelector, labels) ? [cidr] : [];
  });
}

function selects(selector: string | undefined, labels: Labels): boolean {
  const text = selector?.trim();
  if (!text) return true;
  try {
    return parseSelector(text).matches(labels);
  } catch {
    return false;
  }
}
