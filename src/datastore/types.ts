/**
 * The datastore contract. Every backend, our own API server's client included, passes the same
 * suite (contract.test-suite.ts). Writes are compare-and-swap on `metadata.resourceVersion`.
 */

import type { Kind, ResourceOf } from "../model/index.ts";

export interface ResourceList<K extends Kind> {
  readonly items: readonly ResourceOf<K>[];
  /** Revision of the whole store at which the list was read; start a watch from it. */
  readonly resourceVersion: string;
}

export type WatchEvent<K extends Kind> =
  | { readonly type: "added" | "modified" | "deleted"; readonly resource: ResourceOf<K> }
  /** Nothing changed up to this revision; the watch has caught up with it. */
  | { readonly type: "bookmark"; readonly resourceVersion: string };

export interface GetOptions {
  readonly namespace?: string;
}

export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
}

export interface DeleteOptions {
  readonly namespace?: string;
  /** Delete only this revision. */
  readonly resourceVersion?: string;
  /** Delete only this object. */
  readonly uid?: string;
}

export interface WatchOptions {
  /** Events after this revision. */
  readonly resourceVersion: string;
  readonly signal?: AbortSignal;
}

/**
 * Errors are SwitchyardError with code RESOURCE_NOT_FOUND, RESOURCE_ALREADY_EXISTS,
 * RESOURCE_CONFLICT, RESOURCE_INVALID, OPERATION_NOT_SUPPORTED, WATCH_EXPIRED or
 * DATASTORE_UNAVAILABLE; the message is the text Calico's client gives for the same cause.
 * Reads are linearizable: they see every write that was acknowledged before they began.
 */
export interface Datastore {
  get<K extends Kind>(kind: K, name: string, options?: GetOptions): Promise<ResourceOf<K>>;
  list<K extends Kind>(kind: K, options?: ListOptions): Promise<ResourceList<K>>;
  /** `metadata.resourceVersion` must be absent. Returns the object as stored, defaults applied. */
  create<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>>;
  /** `metadata.resourceVersion` must be that of the stored object. */
  update<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>>;
  /** Returns the object that was deleted. */
  delete<K extends Kind>(kind: K, name: string, options?: DeleteOptions): Promise<ResourceOf<K>>;
  /** Ends only by `signal` or by an error: WATCH_EXPIRED means list again. */
  watch<K extends Kind>(kind: K, options: WatchOptions): AsyncIterable<WatchEvent<K>>;
  close(): Promise<void>;
}
