/**
 * Every agent runs one: a candidate for each change that has not ended. While there is none it costs nothing but
 * listening to collections that are there anyway.
 */

import type { Datastore } from "../../datastore/index.ts";
import type { Clock } from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import { Candidate } from "./candidate.ts";
import type { Judges } from "./drive.ts";
import type { KeptCollections } from "./observed.ts";
import { PatchNotes } from "./patch-notes.ts";
import { standing } from "./rank.ts";
import { hasEnded } from "./write.ts";

export interface DriverOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  /** Of this process; the node's name and something that no other life of it had. */
  readonly identity: string;
  readonly collections: KeptCollections;
  readonly judges: Judges;
  /** 32 random bytes in hex. */
  readonly newKey: () => string;
  /** How long a driver that is silent is taken to be alive; 10 s unless told. */
  readonly leaseMs?: number;
}

const LEASE_MS = 10_000;

export class Driver {
  readonly #options: DriverOptions;
  readonly #candidates = new Map<string, Candidate>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #stopping = new Set<Promise<void>>();
  #patches: PatchNotes | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  start(): void {
    const { nodes, pools, nodeModes, modeChanges, bgpConfigurations } = this.#options.collections;
    const wake = () => {
      for (const candidate of this.#candidates.values()) candidate.wake();
    };
    this.#unsubscribe.push(modeChanges.onChange(() => this.#follow()));
    for (const collection of [nodes, pools, nodeModes, modeChanges, bgpConfigurations]) {
      this.#unsubscribe.push(collection.onChange(wake), collection.onState(wake));
    }
    this.#patches = new PatchNotes(this.#options);
    this.#follow();
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#patches?.stop();
    for (const change of [...this.#candidates.keys()]) this.#drop(change);
    await Promise.all(this.#stopping);
  }

  /** A candidate for each change that has not ended, and for no other. */
  #follow(): void {
    const { collections, node, leaseMs = LEASE_MS, ...options } = this.#options;
    const items = collections.modeChanges.items();
    for (const [name, { status }] of items) {
      if (this.#candidates.has(name) || (status && hasEnded(status.phase))) continue;
      const candidate = new Candidate({
        ...options,
        kept: collections,
        change: name,
        leaseMs,
        standing: (change) => standing({ change, node, nodes: collections.nodes.items().keys() }),
      });
      this.#candidates.set(name, candidate);
    }
    for (const name of [...this.#candidates.keys()]) {
      const status = items.get(name)?.status;
      if (!items.has(name) || (status && hasEnded(status.phase))) this.#drop(name);
    }
  }

  #drop(change: string): void {
    const stopping = this.#candidates.get(change)?.stop();
    this.#candidates.delete(change);
    if (!stopping) return;
    this.#stopping.add(stopping);
    void stopping.finally(() => this.#stopping.delete(stopping));
  }
}
