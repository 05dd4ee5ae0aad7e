/**
 * What the driver of one change observes: collections that the process keeps anyway, and evidence and hosts, which
 * are watched only while it drives.
 */

import { Collection, type Datastore } from "../../datastore/index.ts";
import type { Clock } from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import type { Kind, ModeEvidence, NodeHost } from "../../model/index.ts";

/** Kept by whoever runs the driver, and started and stopped by him. */
export interface KeptCollections {
  readonly nodes: Collection<"Node">;
  readonly pools: Collection<"IPPool">;
  readonly nodeModes: Collection<"NodeMode">;
  readonly modeChanges: Collection<"ModeChange">;
  readonly bgpConfigurations: Collection<"BGPConfiguration">;
}

export interface ObservedOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  readonly log: Log;
  readonly change: string;
  readonly kept: KeptCollections;
  readonly changed: () => void;
}

export class Observed {
  readonly kept: KeptCollections;
  readonly #evidence: Collection<"ModeEvidence">;
  readonly #hosts: Collection<"NodeHost">;
  readonly #ofNodes = new Map<string, ModeEvidence>();

  constructor({ store, clock, log, change, kept, changed }: ObservedOptions) {
    this.kept = kept;
    const options = { store, clock, log };
    this.#hosts = new Collection({ ...options, kind: "NodeHost" });
    this.#evidence = new Collection({
      ...options,
      kind: "ModeEvidence",
      // Of other changes only that it is there, for who tidies up.
      keep: (resource) => (resource.spec.change === change ? resource : bare(resource)),
    });
    this.#evidence.onChange((changes) => {
      for (const { type, resource } of changes) {
        if (resource.spec.change !== change) continue;
        if (type === "deleted") this.#ofNodes.delete(resource.spec.node);
        else this.#ofNodes.set(resource.spec.node, resource);
      }
      changed();
    });
    this.#evidence.onState(changed);
    this.#hosts.onState(changed);
  }

  start(): void {
    this.#evidence.start();
    this.#hosts.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#evidence.stop(), this.#hosts.stop()]);
  }

  get connected(): boolean {
    return this.#all().every((collection) => collection.connected && collection.synced);
  }

  /** Everything up to this revision can be seen. @throws the signal's reason. */
  async upTo(resourceVersion: string, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all().map((collection) => collection.waitFor(resourceVersion, signal)));
  }

  /** Of this change, by node. */
  evidence(): ReadonlyMap<string, ModeEvidence> {
    return this.#ofNodes;
  }

  /** Names of all evidence, each with the change that it is of. */
  allEvidence(): { readonly name: string; readonly change: string }[] {
    const all = [...this.#evidence.items().values()];
    return all.map(({ metadata: { name }, spec: { change } }) => ({ name, change }));
  }

  hosts(): readonly NodeHost[] {
    return [...this.#hosts.items().values()];
  }

  #all(): Collection<Kind>[] {
    const all = [...Object.values(this.kept), this.#evidence, this.#hosts];
    return all as unknown as Collection<Kind>[];
  }
}

function bare({ status: _, ...resource }: ModeEvidence): ModeEvidence {
  return resource;
}
