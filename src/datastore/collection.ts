/**
 * A kind's objects kept current in memory: list, then watch, and list again whenever the watch is
 * lost. While the datastore is away the last known objects stay, `connected` says that they may be
 * old, and attempts go on with backoff.
 */

import { Backoff, type Clock, errorText, sleep } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Kind, ResourceOf } from "../model/index.ts";
import { compareRevisions } from "./object-key.ts";
import type { Datastore, ResourceList } from "./types.ts";

export interface CollectionOptions<K extends Kind> {
  readonly store: Pick<Datastore, "list" | "watch">;
  readonly kind: K;
  readonly clock: Clock;
  readonly log: Log;
  /** What of an object stays in memory once listeners have seen it; all of it unless told. */
  readonly keep?: (resource: ResourceOf<K>) => ResourceOf<K>;
}

export interface CollectionChange<K extends Kind> {
  readonly type: "added" | "modified" | "deleted";
  /** `name` or `namespace/name`. */
  readonly key: string;
  readonly resource: ResourceOf<K>;
}

type ChangeListener<K extends Kind> = (changes: readonly CollectionChange<K>[]) => void;

interface Waiter {
  readonly revision: string;
  readonly resolve: () => void;
}

const firstRetryMs = 100;
const slowestRetryMs = 5_000;

export class Collection<K extends Kind> {
  readonly #options: CollectionOptions<K>;
  readonly #items = new Map<string, ResourceOf<K>>();
  readonly #changeListeners = new Set<ChangeListener<K>>();
  readonly #stateListeners = new Set<() => void>();
  readonly #waiters = new Set<Waiter>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #revision = "";
  #connected = false;
  #lastError: string | undefined;

  constructor(options: CollectionOptions<K>) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Live view: the same map for ever, keyed `name` or `namespace/name`. */
  items(): ReadonlyMap<string, ResourceOf<K>> {
    return this.#items;
  }

  /** The objects have been listed at least once. */
  get synced(): boolean {
    return this.#revision !== "";
  }

  /** The objects are current as far as the datastore's watch tells. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Why `connected` is false, in words. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Everything up to this revision is in `items()`; "" before the first list. */
  get resourceVersion(): string {
    return this.#revision;
  }

  /** Called after `items()` changed, and once after the first list even if that was empty. */
  onChange(listener: ChangeListener<K>): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Called after `connected` or `synced` changed, and when the first attempt failed. */
  onState(listener: () => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** Resolves when everything up to `resourceVersion` is in `items()`. @throws the signal's reason. */
  waitFor(resourceVersion: string, signal?: AbortSignal): Promise<void> {
    if (this.#hasSeen(resourceVersion)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#waiters.delete(waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        revision: resourceVersion,
        resolve: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Resolves when nothing runs any more. The objects stay readable. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the collection was stopped"));
    await this.#running;
    this.#setConnected(false, "stopped");
  }

  async #run(): Promise<void> {
    const { store, kind, clock, log } = this.#options;
    const { signal } = this.#stop;
    const backoff = new Backoff({ initialMs: firstRetryMs, maximumMs: slowestRetryMs });
    while (!signal.aborted) {
      try {
        const list = await store.list(kind);
        if (signal.aborted) return;
        this.#replace(list);
        this.#setConnected(true, undefined);
        for await (const event of store.watch(kind, { resourceVersion: this.#revision, signal })) {
          backoff.reset();
          if (event.type === "bookmark") this.#advance(event.resourceVersion);
          else this.#apply(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#setConnected(false, errorText(error));
        // Whoever watches several kinds says once that the datastore is away (`lastError`).
        log.debug({ kind, error: errorText(error) }, "watch lost, listing again");
        await sleep(clock, backoff.next(), signal).catch(() => undefined);
      }
    }
  }

  #replace(list: ResourceList<K>): void {
    const changes: CollectionChange<K>[] = [];
    const seen = new Set<string>();
    for (const resource of list.items) {
      const key = keyOf(resource);
      seen.add(key);
      const before = this.#items.get(key);
      if (before?.metadata.resourceVersion === resource.metadata.resourceVersion) {
        if (before?.metadata.uid === resource.metadata.uid) continue;
      }
      this.#set(key, resource);
      changes.push({ type: before ? "modified" : "added", key, resource });
    }
    for (const [key, resource] of this.#items) {
      if (seen.has(key)) continue;
      this.#items.delete(key);
      changes.push({ type: "deleted", key, resource });
    }
    const first = !this.synced;
    this.#revision = list.resourceVersion;
    if (first || changes.length > 0) this.#notify(changes);
    if (first) this.#notifyState();
    this.#wake();
  }

  #apply(event: { type: CollectionChange<K>["type"]; resource: ResourceOf<K> }): void {
    const { type, resource } = event;
    const key = keyOf(resource);
    if (type === "deleted") this.#items.delete(key);
    else this.#set(key, resource);
    this.#notify([{ type, key, resource }]);
    this.#advance(resource.metadata.resourceVersion ?? this.#revision);
  }

  #set(key: string, resource: ResourceOf<K>): void {
    this.#items.set(key, this.#options.keep?.(resource) ?? resource);
  }

  #advance(revision: string): void {
    this.#revision = revision;
    this.#wake();
  }

  #hasSeen(revision: string): boolean {
    return this.synced && compareRevisions(this.#revision, revision) >= 0;
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (!this.#hasSeen(waiter.revision)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #setConnected(connected: boolean, lastError: string | undefined): void {
    const changed =
      connected !== this.#connected ||
      (lastError === undefined) !== (this.#lastError === undefined);
    this.#connected = connected;
    this.#lastError = lastError;
    if (changed) this.#notifyState();
  }

  #notify(changes: readonly CollectionChange<K>[]): void {
    for (const listener of this.#changeListeners) this.#guard(() => listener(changes));
  }

  #notifyState(): void {
    for (const listener of this.#stateListeners) this.#guard(listener);
  }

  /** A listener's fault is its own: it must not end the watch. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      const { kind, log } = this.#options;
      log.error({ kind, err: error }, "a listener of this collection failed");
    }
  }
}

function keyOf(resource: { readonly metadata: { name: string; namespace?: string | undefined } }) {
  const { name, namespace } = resource.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
