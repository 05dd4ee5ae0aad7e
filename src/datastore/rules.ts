/**
 * A store that refuses what Calico's client refuses, and does what it does around a write. Put over
 * a backend that only this process writes to: the check against other pools relies on that.
 */

import { type Clock, hasCode, parsePrefix, prefixesOverlap } from "../lib/index.ts";
import {
  applyReadDefaults,
  type BGPPeer,
  type IPPool,
  type Kind,
  notSupported,
  prepareForWrite,
  type ResourceOf,
  updateConflict,
  validationError,
} from "../model/index.ts";
import { deleteNode, deletePool } from "./deletion.ts";
import type { Datastore, DeleteOptions, GetOptions, ListOptions, WatchOptions } from "./types.ts";

export interface RulesOptions {
  readonly clock: Clock;
}

function asRead<K extends Kind>(resource: ResourceOf<K>): ResourceOf<K> {
  if (resource.kind !== "IPPool") return resource;
  return applyReadDefaults(resource as unknown as IPPool) as unknown as ResourceOf<K>;
}

class RulesStore implements Datastore {
  readonly #store: Datastore;
  readonly #clock: Clock;
  /** Ends of the writes that must not run at the same time. */
  #poolCreations: Promise<unknown> = Promise.resolve();

  constructor(store: Datastore, options: RulesOptions) {
    this.#store = store;
    this.#clock = options.clock;
  }

  async get<K extends Kind>(kind: K, name: string, options?: GetOptions) {
    return asRead(await this.#store.get(kind, name, options));
  }

  async list<K extends Kind>(kind: K, options?: ListOptions) {
    const list = await this.#store.list(kind, options);
    return kind === "IPPool" ? { ...list, items: list.items.map(asRead) } : list;
  }

  create<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>> {
    if (resource.kind !== "IPPool") return this.#create(resource);
    const created = this.#poolCreations.then(async () => {
      const { items } = await this.#store.list("IPPool");
      return this.#create(resource, items);
    });
    this.#poolCreations = created.catch(() => undefined);
    return created;
  }

  async #create<K extends Kind>(resource: ResourceOf<K>, pools?: readonly IPPool[]) {
    const filters = await this.#filtersFor(resource);
    const prepared = prepareForWrite({ resource, operation: "create", pools, filters });
    if (pools) await this.#checkBlocks(prepared as unknown as IPPool);
    return this.#store.create(prepared);
  }

  async #checkBlocks({ spec }: IPPool): Promise<void> {
    const { blockSize } = spec;
    const cidr = parsePrefix(spec.cidr);
    const { items } = await this.#store.list("IPAMBlock");
    for (const block of items) {
      const other = parsePrefix(block.spec.cidr);
      if (!cidr || !other || other.length === blockSize || !prefixesOverlap(cidr, other)) continue;
      throw validationError([
        {
          name: "IPPool.Spec.BlockSize",
          value: blockSize,
          reason:
            "IPPool blocksSize conflicts with existing allocations that use a different blockSize",
        },
      ]);
    }
  }

  async update<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>> {
    const existing = await this.#existing(resource);
    const { kind, metadata } = resource;
    if (existing && metadata.uid && metadata.uid !== existing.metadata.uid) {
      throw updateConflict({ kind, name: metadata.name, namespace: metadata.namespace });
    }
    const filters = await this.#filtersFor(resource);
    const prepared = prepareForWrite({ resource, operation: "update", existing, filters });
    const { creationTimestamp } = existing?.metadata ?? {};
    if (!creationTimestamp || !metadata.creationTimestamp) return this.#store.update(prepared);
    return this.#store.update({
      ...prepared,
      metadata: { ...prepared.metadata, creationTimestamp },
    });
  }

  /** Names of the filters there are, for a peer that names some. */
  async #filtersFor(resource: { readonly kind: Kind; readonly spec?: unknown }) {
    if (resource.kind !== "BGPPeer") return undefined;
    if (!(resource as BGPPeer).spec.filters?.length) return undefined;
    const { items } = await this.#store.list("BGPFilter");
    return items.map(({ metadata }) => metadata.name);
  }

  /** The stored object, if there is one; that there is none is the store's to say. */
  async #existing<K extends Kind>({ kind, metadata }: ResourceOf<K>) {
    const { name, namespace } = metadata;
    try {
      return await this.#store.get(kind, name, namespace ? { namespace } : {});
    } catch (error) {
      const absent = hasCode(error, "RESOURCE_NOT_FOUND") || hasCode(error, "RESOURCE_INVALID");
      if (!absent || kind === "IPPool") throw error;
      return undefined;
    }
  }

  async delete<K extends Kind>(kind: K, name: string, options: DeleteOptions = {}) {
    const deleted = await this.#delete(kind, name, options);
    return deleted as unknown as ResourceOf<K>;
  }

  async #delete(kind: Kind, name: string, options: DeleteOptions): Promise<unknown> {
    if (kind === "IPPool") return deletePool(this.#store, { name, options, clock: this.#clock });
    if (kind === "Node") return deleteNode(this.#store, { name, options });
    if (kind === "ClusterInformation") {
      await this.#store.get(kind, name);
      throw notSupported("Delete", { kind, name });
    }
    return this.#store.delete(kind, name, options);
  }

  watch<K extends Kind>(kind: K, options: WatchOptions) {
    return this.#store.watch(kind, options);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

export function withRules(store: Datastore, options: RulesOptions): Datastore {
  return new RulesStore(store, options);
}
