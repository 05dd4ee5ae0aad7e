/** IPPools as allocation sees them: which are enabled, and which serve one request. */

import {
  type Family,
  formatPrefix,
  type IpAddress,
  type Prefix,
  parsePrefix,
  prefixContains,
  prefixEquals,
  prefixFamily,
  SwitchyardError,
} from "../lib/index.ts";
import type { IPPool, Labels } from "../model/index.ts";
import { selects } from "./selects.ts";

export type Use = "Workload" | "Tunnel" | "LoadBalancer";

export interface IpamPool {
  readonly cidr: Prefix;
  /** Prefix length of its blocks. */
  readonly blockSize: number;
  readonly nodeSelector: string;
  readonly namespaceSelector: string;
  readonly allowedUses: readonly Use[];
  /** Serves only requests that name it. */
  readonly manual: boolean;
  readonly enabled: boolean;
}

const DEFAULT_BLOCK_SIZE: Record<Family, number> = { 4: 26, 6: 122 };

/** Pools whose CIDR cannot be read, or whose blocks would be larger than the pool, are left out. */
export function poolsFromResources(resources: readonly IPPool[]): IpamPool[] {
  return resources.flatMap((resource) => {
    const { spec } = resource;
    const cidr = parsePrefix(spec.cidr);
    if (cidr === undefined) return [];
    const blockSize = spec.blockSize || DEFAULT_BLOCK_SIZE[prefixFamily(cidr)];
    if (blockSize < cidr.length) return [];
    return [
      {
        cidr,
        blockSize,
        nodeSelector: spec.nodeSelector ?? "",
        namespaceSelector: spec.namespaceSelector ?? "",
        allowedUses: spec.allowedUses?.length ? spec.allowedUses : ["Workload", "Tunnel"],
        manual: spec.assignmentMode === "Manual",
        enabled: !spec.disabled && !resource.metadata.deletionTimestamp && isAllocatable(resource),
      },
    ];
  });
}

function isAllocatable(pool: IPPool): boolean {
  const conditions = pool.status?.conditions;
  if (!Array.isArray(conditions)) return true;
  return !conditions.some((entry) => entry?.type === "Allocatable" && entry?.status === "False");
}

export function poolOf(pools: readonly IpamPool[], address: IpAddress): IpamPool | undefined {
  return pools.find((pool) => prefixContains(pool.cidr, address));
}

export interface PoolRequest {
  readonly node: string;
  readonly nodeLabels: Labels;
  readonly namespaceLabels: Labels;
  readonly use: Use;
  readonly family: Family;
  /** Exactly these, whatever they select. */
  readonly requested: readonly Prefix[];
}

/** The pools a request may be served from, in order. @throws SwitchyardError when there is none. */
export function poolsForRequest(pools: readonly IpamPool[], request: PoolRequest): IpamPool[] {
  const { node, use, family, requested } = request;
  const enabled = pools.filter((pool) => pool.enabled && prefixFamily(pool.cidr) === family);
  const candidates =
    requested.length > 0
      ? requested.map((cidr) => namedPool(enabled, cidr))
      : enabled.filter(
          (pool) =>
            !pool.manual &&
            selects(pool.nodeSelector, request.nodeLabels) &&
            selects(pool.namespaceSelector, request.namespaceLabels),
        );
  if (candidates.length === 0) {
    throw new SwitchyardError("IPAM_NO_POOL", `no configured Calico pools for node ${node}`);
  }
  const usable = candidates.filter((pool) => pool.allowedUses.includes(use));
  if (usable.length === 0) {
    const tried = candidates.map((pool) => formatPrefix(pool.cidr)).join(" ");
    throw new SwitchyardError(
      "IPAM_NO_POOL",
      `no configured Calico pools for node ${node} allow the use ${use}: [${tried}]`,
    );
  }
  return usable;
}

function namedPool(enabled: readonly IpamPool[], cidr: Prefix): IpamPool {
  const pool = enabled.find((candidate) => prefixEquals(candidate.cidr, cidr));
  if (pool !== undefined) return pool;
  throw new SwitchyardError(
    "IPAM_NO_POOL",
    `the given pool (${formatPrefix(cidr)}) does not exist, or is not enabled`,
  );
}
