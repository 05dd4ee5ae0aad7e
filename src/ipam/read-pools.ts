/** Pools and the labels they select by, from the datastore. */

import type { Labels } from "../model/index.ts";
import type { IpamContext } from "./context.ts";
import { type IpamPool, poolsFromResources } from "./pools.ts";
import { readOptional } from "./records.ts";
import { selectsAll } from "./selects.ts";

export async function readPools(context: IpamContext): Promise<IpamPool[]> {
  return poolsFromResources((await context.store.list("IPPool")).items);
}

/** The node's labels. Not read when every pool selects all nodes. */
export async function nodeLabels(
  context: IpamContext,
  options: { readonly node: string; readonly pools: readonly IpamPool[] },
): Promise<Labels> {
  if (options.pools.every((pool) => selectsAll(pool.nodeSelector))) return {};
  const node = await readOptional(context.store, "Node", options.node);
  return node?.metadata.labels ?? {};
}
