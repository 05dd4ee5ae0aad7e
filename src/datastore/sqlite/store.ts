/**
 * The embedded datastore. Every write is one transaction that takes the next revision of a single
 * counter, changes one object and appends to the log; watches are told before the write returns.
 */

import { randomUUID } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  type Clock,
  errorText,
  parseJson,
  SwitchyardError,
  stringifyJson,
} from "../../lib/index.ts";
import {
  alreadyExists,
  type Kind,
  type Metadata,
  notFound,
  type Resource,
  type ResourceOf,
  updateConflict,
  validationError,
} from "../../model/index.ts";
import { createKey, type ObjectKey, objectKey, objectName, updateKey } from "../object-key.ts";
import type {
  Datastore,
  DeleteOptions,
  GetOptions,
  ListOptions,
  ResourceList,
  WatchEvent,
  WatchOptions,
} from "../types.ts";
import { WatchHub } from "./watch-hub.ts";

type ChangeType = "added" | "modified" | "deleted";

interface Row {
  readonly revision: number;
  readonly value: string;
}

export interface SqliteStoreOptions {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  /** The log keeps the last this many writes; an older watch must list again. */
  readonly keepLogEntries: number;
  readonly bookmarkDelayMs: number;
}

/** What is stored: without what follows from the row, or from nothing. */
function encode(key: ObjectKey, resource: Resource): string {
  const { namespace: _, resourceVersion: __, selfLink: ___, ...rest } = resource.metadata;
  const metadata = key.namespace === "" ? rest : { ...rest, namespace: key.namespace };
  return stringifyJson({ ...resource, metadata });
}

function decodeRow(row: Row): Resource {
  const stored = parseJson(row.value) as Resource;
  const metadata: Metadata = { ...stored.metadata, resourceVersion: String(row.revision) };
  return { ...stored, metadata } as Resource;
}

export class SqliteStore implements Datastore {
  readonly #options: SqliteStoreOptions;
  readonly #hub: WatchHub;
  readonly #statements = new Map<string, StatementSync>();
  #revision: number;
  #compacted: number;
  #closed = false;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#hub = new WatchHub(options);
    this.#revision = this.#counter("revision");
    this.#compacted = this.#counter("compacted");
  }

  #counter(name: string): number {
    const row = this.#sql("SELECT value FROM counters WHERE name = ?").get(name);
    return (row as { value: number }).value;
  }

  #sql(text: string): StatementSync {
    if (this.#closed) throw this.#closedError();
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#options.database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  #closedError(): SwitchyardError {
    return new SwitchyardError("DATASTORE_UNAVAILABLE", "the datastore is closed");
  }

  #find(key: ObjectKey): Row | undefined {
    return this.#sql(
      "SELECT revision, value FROM resources WHERE kind = ? AND namespace = ? AND name = ?",
    ).get(key.kind, key.namespace, key.name) as Row | undefined;
  }

  async get<K extends Kind>(kind: K, name: string, options: GetOptions = {}) {
    const key = objectKey({ kind, name, namespace: options.namespace });
    const row = this.#find(key);
    if (!row) throw notFound(objectName(key));
    return decodeRow(row) as unknown as ResourceOf<K>;
  }

  async list<K extends Kind>(kind: K, options: ListOptions = {}): Promise<ResourceList<K>> {
    const rows = (options.namespace
      ? this.#sql(
          "SELECT revision, value FROM resources WHERE kind = ? AND namespace = ? ORDER BY name",
        ).all(kind, options.namespace)
      : this.#sql(
          "SELECT revision, value FROM resources WHERE kind = ? ORDER BY namespace, name",
        ).all(kind)) as unknown as Row[];
    const items = rows.map(decodeRow) as unknown as ResourceOf<K>[];
    return { items, resourceVersion: String(this.#revision) };
  }

  async create<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>> {
    const key = createKey(resource.kind, resource.metadata);
    if (this.#find(key)) throw alreadyExists(objectName(key));
    const seconds = Math.floor(this.#options.clock.now() / 1000);
    const now = new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
    const metadata: Metadata = {
      ...resource.metadata,
      uid: resource.metadata.uid || randomUUID(),
      creationTimestamp: resource.metadata.creationTimestamp || now,
    };
    return this.#write("added", key, { ...resource, metadata } as unknown as Resource);
  }

  async update<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>> {
    const key = updateKey(resource.kind, resource.metadata);
    const row = this.#find(key);
    if (!row) throw notFound(objectName(key));
    if (String(row.revision) !== resource.metadata.resourceVersion) {
      throw updateConflict(objectName(key));
    }
    return this.#write("modified", key, resource as unknown as Resource);
  }

  async delete<K extends Kind>(kind: K, name: string, options: DeleteOptions = {}) {
    const key = objectKey({ kind, name, namespace: options.namespace });
    const row = this.#find(key);
    if (!row) throw notFound(objectName(key));
    const stored = decodeRow(row) as unknown as ResourceOf<K>;
    const { resourceVersion, uid } = options;
    if (resourceVersion && resourceVersion !== stored.metadata.resourceVersion) {
      throw updateConflict(objectName(key));
    }
    if (uid && uid !== stored.metadata.uid) throw updateConflict(objectName(key));
    this.#write("deleted", key, stored as unknown as Resource);
    return stored;
  }

  #write<K extends Kind>(type: ChangeType, key: ObjectKey, resource: Resource): ResourceOf<K> {
    const value = encode(key, resource);
    const revision = this.#revision + 1;
    const { database, keepLogEntries } = this.#options;
    // Compacting in steps keeps the delete off most writes.
    const compactTo = revision - keepLogEntries;
    const compact = compactTo - this.#compacted >= Math.max(1, keepLogEntries / 10);
    database.exec("BEGIN IMMEDIATE");
    try {
      if (type === "deleted") {
        this.#sql("DELETE FROM resources WHERE kind = ? AND namespace = ? AND name = ?").run(
          key.kind,
          key.namespace,
          key.name,
        );
      } else {
        this.#sql("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?)").run(
          key.kind,
          key.namespace,
          key.name,
          revision,
          value,
        );
      }
      this.#sql("INSERT INTO log VALUES (?, ?, ?, ?)").run(revision, key.kind, type, value);
      this.#sql("UPDATE counters SET value = ? WHERE name = 'revision'").run(revision);
      if (compact) {
        this.#sql("DELETE FROM log WHERE revision <= ?").run(compactTo);
        this.#sql("UPDATE counters SET value = ? WHERE name = 'compacted'").run(compactTo);
      }
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw new SwitchyardError(
        "DATASTORE_UNAVAILABLE",
        `cannot write ${key.kind} ${key.name} to the datastore: ${errorText(error)}`,
        { cause: error },
      );
    }
    this.#revision = revision;
    if (compact) this.#compacted = compactTo;
    const stored = decodeRow({ revision, value });
    this.#hub.publish({ type, resource: stored });
    return stored as unknown as ResourceOf<K>;
  }

  watch<K extends Kind>(kind: K, options: WatchOptions): AsyncIterable<WatchEvent<K>> {
    return { [Symbol.asyncIterator]: () => this.#follow(kind, options) };
  }

  async *#follow<K extends Kind>(kind: K, options: WatchOptions) {
    const from = options.resourceVersion;
    if (!/^\d{1,15}$/.test(from)) {
      throw validationError([
        { name: "ResourceVersion", value: from, reason: "not a revision of this datastore" },
      ]);
    }
    const since = Number(from);
    // A revision of the future belongs to a database that was replaced under the watcher.
    if (since < this.#compacted || since > this.#revision) {
      throw new SwitchyardError(
        "WATCH_EXPIRED",
        `resource version ${from} is too old, list again: this datastore knows ${this.#compacted} to ${this.#revision}`,
      );
    }
    const rows = this.#sql(
      "SELECT revision, type, value FROM log WHERE kind = ? AND revision > ? ORDER BY revision",
    ).all(kind, since) as unknown as (Row & { type: ChangeType })[];
    const replay: WatchEvent<Kind>[] = rows.map((row) => ({
      type: row.type,
      resource: decodeRow(row) as unknown as ResourceOf<Kind>,
    }));
    replay.push({ type: "bookmark", resourceVersion: String(this.#revision) });
    const events = this.#hub.subscribe({ kind, replay, signal: options.signal });
    yield* events as AsyncGenerator<WatchEvent<K>, void, void>;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#hub.close(this.#closedError());
    this.#statements.clear();
    this.#closed = true;
    this.#options.database.close();
  }
}
