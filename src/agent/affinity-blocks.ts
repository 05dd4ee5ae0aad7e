/** The blocks that affinities stand for, by prefix: what one changed affinity asks to be planned again. */

import type { CollectionChange } from "../datastore/index.ts";
import { blockFacts } from "../facts/index.ts";
import { formatPrefix, type Prefix } from "../lib/index.ts";
import type { BlockAffinity } from "../model/index.ts";
import type { BlockFacts } from "../plan/index.ts";

export interface BlockChange {
  readonly prefix: Prefix;
  /** Nodes that had or have the block. */
  readonly nodes: readonly string[];
}

export class AffinityBlocks {
  /** By the text of the prefix, then by the affinity's name. */
  readonly #byPrefix = new Map<string, Map<string, BlockFacts>>();
  readonly #byName = new Map<string, BlockFacts>();

  /** Takes changes in; undefined if one of them cannot be used, which is to be told with all the others. */
  update(changes: readonly CollectionChange<"BlockAffinity">[]): BlockChange[] | undefined {
    const changed: BlockChange[] = [];
    let bad = false;
    for (const { type, key, resource } of changes) {
      const before = this.#byName.get(key);
      const [after] = type === "deleted" ? [] : (usable(resource) ?? []);
      bad ||= type !== "deleted" && usable(resource) === undefined;
      this.#set(key, before, after);
      const nodes = [before, after].flatMap((facts) => facts?.node ?? []);
      for (const facts of [before, after]) {
        if (facts) changed.push({ prefix: facts.prefix, nodes });
      }
    }
    return bad ? undefined : changed;
  }

  at(prefix: Prefix): readonly BlockFacts[] {
    return [...(this.#byPrefix.get(formatPrefix(prefix))?.values() ?? [])];
  }

  #set(name: string, before: BlockFacts | undefined, after: BlockFacts | undefined): void {
    if (before) {
      const key = formatPrefix(before.prefix);
      const blocks = this.#byPrefix.get(key);
      blocks?.delete(name);
      if (blocks?.size === 0) this.#byPrefix.delete(key);
      this.#byName.delete(name);
    }
    if (after) {
      const key = formatPrefix(after.prefix);
      const blocks = this.#byPrefix.get(key) ?? new Map<string, BlockFacts>();
      this.#byPrefix.set(key, blocks.set(name, after));
      this.#byName.set(name, after);
    }
  }
}

function usable(affinity: BlockAffinity): BlockFacts[] | undefined {
  try {
    return blockFacts(affinity);
  } catch {
    return undefined;
  }
}
