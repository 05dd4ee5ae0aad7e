/** The agent's live copy of the datastore: one collection per kind it depends on. */

import { Collection, type CollectionChange, type Datastore } from "../datastore/index.ts";
import type { ClusterView } from "../facts/index.ts";
import { BorrowedAddresses } from "../facts/index.ts";
import type { Clock, Prefix } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { IPAMBlock, Kind, NodeMode } from "../model/index.ts";
import type { BlockFacts } from "../plan/index.ts";
import { AffinityBlocks, type BlockChange } from "./affinity-blocks.ts";

const watched = {
  nodes: "Node",
  pools: "IPPool",
  affinities: "BlockAffinity",
  workloads: "WorkloadEndpoint",
  bgpConfigurations: "BGPConfiguration",
  bgpPeers: "BGPPeer",
  bgpFilters: "BGPFilter",
  felixConfigurations: "FelixConfiguration",
  nodeModes: "NodeMode",
  modeChanges: "ModeChange",
} as const satisfies Record<keyof Omit<ClusterView, "borrowed">, Kind>;

type Collections = { [F in keyof typeof watched]: Collection<(typeof watched)[F]> };

export class Cluster {
  readonly #collections: Collections;
  readonly #blocks: Collection<"IPAMBlock">;
  readonly #borrowed = new BorrowedAddresses();
  readonly #affinityBlocks = new AffinityBlocks();
  readonly #clock: Clock;
  /** What each node accepts (sessions of the mesh too) and sends, and where it is probed, as last seen. */
  readonly #gates = new Map<string, string>();
  readonly #log: Log;
  #connectedSinceMs: number;
  /** Undefined before the first answer or refusal. */
  #wasConnected: boolean | undefined;

  constructor(options: { readonly store: Datastore; readonly clock: Clock; readonly log: Log }) {
    const entries = Object.entries(watched).map(([field, kind]) => [
      field,
      new Collection<Kind>({ ...options, kind }),
    ]);
    this.#collections = Object.fromEntries(entries) as Collections;
    this.#blocks = new Collection({ ...options, kind: "IPAMBlock", keep: withoutAllocations });
    this.#clock = options.clock;
    this.#log = options.log;
    this.#connectedSinceMs = options.clock.now();
  }

  /**
   * `changed` is called after any object or the connection changed; with the blocks, where nothing but
   * what affinities say of them has.
   */
  start(changed: (blocks?: readonly BlockChange[]) => void): void {
    for (const collection of this.#all()) {
      if (collection === (this.#collections.nodeModes as unknown)) {
        this.#collections.nodeModes.onChange((changes) => {
          if (this.#noteGates(changes)) changed();
        });
      } else if (collection === (this.#blocks as unknown)) {
        this.#blocks.onChange((changes) => {
          // Most allocations are made by the block's own node, and are nobody else's business.
          if (this.#borrowed.update(changes)) changed();
        });
      } else if (collection === (this.#collections.affinities as unknown)) {
        this.#collections.affinities.onChange((changes) =>
          changed(this.#affinityBlocks.update(changes)),
        );
      } else collection.onChange(() => changed());
      collection.onState(() => {
        this.#noteConnection();
        changed();
      });
      collection.start();
    }
  }

  /** For others in this process who would otherwise watch the same again. */
  get collections(): Collections {
    return this.#collections;
  }

  /** Every kind has been listed once: before that nothing may be decided. */
  get synced(): boolean {
    return this.#all().every((collection) => collection.synced);
  }

  get connected(): boolean {
    return this.#all().every((collection) => collection.connected);
  }

  /** When `connected` last changed. */
  get connectedSinceMs(): number {
    return this.#connectedSinceMs;
  }

  /** What the datastore answered instead of connecting. */
  get lastError(): string | undefined {
    return this.#all().find((collection) => collection.lastError)?.lastError;
  }

  view(): ClusterView {
    const entries = Object.entries(this.#collections).map(([field, collection]) => [
      field,
      [...collection.items().values()],
    ]);
    const lists = Object.fromEntries(entries) as unknown as Omit<ClusterView, "borrowed">;
    return { ...lists, borrowed: this.#borrowed.all() };
  }

  /** What affinities say of a block. */
  blocksAt(prefix: Prefix): readonly BlockFacts[] {
    return this.#affinityBlocks.at(prefix);
  }

  nodeMode(node: string): NodeMode | undefined {
    return this.#collections.nodeModes.items().get(node);
  }

  /** Waits until every NodeMode written up to this revision is in the view. */
  nodeModesAt(resourceVersion: string, signal: AbortSignal): Promise<void> {
    return this.#collections.nodeModes.waitFor(resourceVersion, signal);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all().map((collection) => collection.stop()));
  }

  #all(): Collection<Kind>[] {
    const all = [...Object.values(this.#collections), this.#blocks];
    return all as unknown as Collection<Kind>[];
  }

  /**
   * True if what somebody accepts or sends has changed. Progress, which nodes publish much more often,
   * changes nobody's plan.
   */
  #noteGates(changes: readonly CollectionChange<"NodeMode">[]): boolean {
    let changed = false;
    for (const { type, key, resource } of changes) {
      const { accepts, sends, mtu, mesh, probeAddress } = resource.status ?? {};
      const said = [accepts, sends, mtu, mesh?.open, probeAddress];
      const gate = type === "deleted" ? undefined : JSON.stringify(said);
      if (this.#gates.get(key) === gate) continue;
      changed = true;
      if (gate === undefined) this.#gates.delete(key);
      else this.#gates.set(key, gate);
    }
    return changed;
  }

  /** One line for all kinds, when the datastore goes and when it is back. */
  #noteConnection(): void {
    const { connected, lastError } = this;
    if (connected === this.#wasConnected || (!connected && lastError === undefined)) return;
    this.#wasConnected = connected;
    this.#connectedSinceMs = this.#clock.now();
    if (connected) this.#log.info("datastore connected");
    else if (this.synced)
      this.#log.warn({ error: lastError }, "datastore away; the node goes on as it is");
    else
      this.#log.warn({ error: lastError }, "datastore away; the kernel forwards as it was found");
  }
}

/** Who borrows what is in the index; thousands of blocks in full would only take memory. */
function withoutAllocations({ spec, ...block }: IPAMBlock): IPAMBlock {
  const empty = { allocations: [], unallocated: [], attributes: [], sequenceNumber: 0 };
  return { ...block, spec: { cidr: spec.cidr, ...empty } };
}
