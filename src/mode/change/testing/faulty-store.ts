/** A datastore as one process sees it: it can be cut off, be held at a write, and die. */

import type { Datastore } from "../../../datastore/index.ts";
import { SwitchyardError } from "../../../lib/index.ts";
import type { Kind, ResourceOf } from "../../../model/index.ts";

/** Does the write, or not, or later, or tells nobody. */
export type Around = <T>(resource: ResourceOf<Kind>, write: () => Promise<T>) => Promise<T>;

/** Looks at a write before it is done; what it gives is called when it has been. */
export type Judge = (resource: ResourceOf<Kind>) => Promise<() => void>;

export class FaultyStore implements Datastore {
  readonly #inner: Datastore;
  readonly #judge: Judge;
  /** What becomes of a create or an update. */
  around: Around = (_, write) => write();
  /** Nothing answers, until it does again. */
  cut = false;
  dead = false;
  readonly #watches = new Set<AbortController>();

  constructor(inner: Datastore, judge: Judge) {
    this.#inner = inner;
    this.#judge = judge;
  }

  setCut(cut: boolean): void {
    this.cut = cut;
    if (cut) for (const watch of this.#watches) watch.abort();
  }

  /** The process is no more: whatever it still does, nobody sees. */
  die(): void {
    this.dead = true;
    for (const watch of this.#watches) watch.abort();
  }

  get<K extends Kind>(kind: K, name: string) {
    return this.#through(() => this.#inner.get(kind, name));
  }
  list<K extends Kind>(kind: K) {
    return this.#through(() => this.#inner.list(kind));
  }
  create<K extends Kind>(resource: ResourceOf<K>) {
    return this.#write(resource, () => this.#inner.create(resource));
  }
  update<K extends Kind>(resource: ResourceOf<K>) {
    return this.#write(resource, () => this.#inner.update(resource));
  }
  delete<K extends Kind>(kind: K, name: string) {
    return this.#through(() => this.#inner.delete(kind, name));
  }

  async *watch<K extends Kind>(
    kind: K,
    options: { readonly resourceVersion: string; readonly signal?: AbortSignal },
  ) {
    this.#check();
    const own = new AbortController();
    const end = () => own.abort();
    options.signal?.addEventListener("abort", end, { once: true });
    this.#watches.add(own);
    try {
      yield* this.#inner.watch(kind, { ...options, signal: own.signal });
    } finally {
      this.#watches.delete(own);
    }
    if (!options.signal?.aborted) throw away();
  }

  async close(): Promise<void> {}

  #check(): void {
    if (this.cut || this.dead) throw away();
  }

  async #through<T>(run: () => Promise<T>): Promise<T> {
    this.#check();
    const result = await run();
    this.#check();
    return result;
  }

  #write<K extends Kind, T>(resource: ResourceOf<K>, run: () => Promise<T>): Promise<T> {
    return this.around(resource as unknown as ResourceOf<Kind>, async () => {
      this.#check();
      const judged = await this.#judge(resource as unknown as ResourceOf<Kind>);
      const result = await run();
      // What a compare-and-swap has refused does no harm.
      judged();
      this.#check();
      return result;
    });
  }
}

export function away(): SwitchyardError {
  return new SwitchyardError("DATASTORE_UNAVAILABLE", "the datastore is away, by the test's wish");
}
