/**
 * Addresses that a node uses out of another node's block: each needs a route of its own everywhere. An
 * index over the blocks, brought up to date by what changed of them, so that an allocation costs the same
 * on a cluster of any size.
 */

import { addressAt, formatPrefix, hostPrefix, parsePrefix } from "../lib/index.ts";
import type { IPAMBlock } from "../model/index.ts";
import type { BlockFacts } from "../plan/index.ts";

interface BlockChange {
  readonly type: "added" | "modified" | "deleted";
  readonly key: string;
  readonly resource: IPAMBlock;
}

export class BorrowedAddresses {
  /** By name of the block; only blocks that have any. */
  readonly #byBlock = new Map<string, readonly BlockFacts[]>();
  #all: readonly BlockFacts[] | undefined;

  /** True if anything is borrowed or given back by these changes. O(addresses of the changed blocks). */
  update(changes: readonly BlockChange[]): boolean {
    let changed = false;
    for (const { type, key, resource } of changes) {
      const found = type === "deleted" ? [] : borrowedOf(resource);
      if (textOf(found) === textOf(this.#byBlock.get(key) ?? [])) continue;
      changed = true;
      if (found.length === 0) this.#byBlock.delete(key);
      else this.#byBlock.set(key, found);
    }
    if (changed) this.#all = undefined;
    return changed;
  }

  all(): readonly BlockFacts[] {
    this.#all ??= [...this.#byBlock.values()].flat();
    return this.#all;
  }
}

const HOST_AFFINITY = "host:";

/** Allocations whose node is not the block's. One that names no node, or cools down, has none. */
export function borrowedOf({ spec }: IPAMBlock): BlockFacts[] {
  const cidr = parsePrefix(spec.cidr);
  if (cidr === undefined || spec.deleted) return [];
  const { affinity } = spec;
  const host = affinity?.startsWith(HOST_AFFINITY)
    ? affinity.slice(HOST_AFFINITY.length)
    : undefined;
  const borrowers = spec.attributes.map(({ secondary, releasedAt }) => {
    const node = releasedAt ? undefined : secondary?.node;
    return node === host ? undefined : node;
  });
  // Nearly always: nothing to look for among the ordinals.
  if (borrowers.every((node) => node === undefined)) return [];
  return spec.allocations.flatMap((attribute, ordinal) => {
    const node = attribute === null ? undefined : borrowers[attribute];
    return node ? [{ prefix: hostPrefix(addressAt(cidr, ordinal)), node }] : [];
  });
}

function textOf(found: readonly BlockFacts[]): string {
  return found.map(({ prefix, node }) => `${formatPrefix(prefix)} ${node}`).join();
}
