/** Nodes by name and by address, found out once per list of nodes: planning asks for every block. */

import type { IpAddress } from "../lib/index.ts";
import { addressesOf } from "./families.ts";
import type { NodeFacts } from "./types.ts";

export interface NodeIndex {
  readonly byName: ReadonlyMap<string, NodeFacts>;
  readonly byAddress: ReadonlyMap<IpAddress, NodeFacts>;
}

const known = new WeakMap<readonly NodeFacts[], NodeIndex>();

export function nodeIndex(nodes: readonly NodeFacts[]): NodeIndex {
  let index = known.get(nodes);
  if (index === undefined) {
    const byName = new Map<string, NodeFacts>();
    const byAddress = new Map<IpAddress, NodeFacts>();
    for (const node of nodes) {
      byName.set(node.name, node);
      for (const address of addressesOf(node)) byAddress.set(address, node);
    }
    index = { byName, byAddress };
    known.set(nodes, index);
  }
  return index;
}
