/** The datastore as our API server offers it; the server enforces every rule. */

import { SwitchyardError, stringifyJson } from "../../lib/index.ts";
import type { Kind, ResourceOf } from "../../model/index.ts";
import { objectKey } from "../object-key.ts";
import type {
  Datastore,
  DeleteOptions,
  GetOptions,
  ListOptions,
  ResourceList,
  WatchEvent,
  WatchOptions,
} from "../types.ts";
import { collectionPath, objectPath } from "./paths.ts";
import { errorFromStatus } from "./status.ts";
import { Transport } from "./transport.ts";

interface WireList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly unknown[];
}

interface WireEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: { readonly metadata: { readonly resourceVersion: string } };
}

/** The server repeats a bookmark every 30 s: one that is silent for longer hangs. */
const silenceLimitMs = 75_000;

const eventTypes = { ADDED: "added", MODIFIED: "modified", DELETED: "deleted" } as const;

export class ApiStore implements Datastore {
  readonly #transport: Transport;

  constructor(options: { socketPath: string }) {
    this.#transport = new Transport(options.socketPath);
  }

  async get<K extends Kind>(kind: K, name: string, options: GetOptions = {}) {
    const key = objectKey({ kind, name, namespace: options.namespace });
    const path = objectPath(kind, key);
    return (await this.#transport.call({ method: "GET", path })) as ResourceOf<K>;
  }

  async list<K extends Kind>(kind: K, options: ListOptions = {}): Promise<ResourceList<K>> {
    const path = collectionPath(kind, options.namespace);
    const list = (await this.#transport.call({ method: "GET", path })) as WireList;
    return {
      items: list.items as readonly ResourceOf<K>[],
      resourceVersion: list.metadata.resourceVersion,
    };
  }

  async create<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>> {
    // Not checked here: the server's validator speaks before the generic checks do.
    const path = collectionPath(resource.kind, resource.metadata.namespace);
    const body = stringifyJson(resource);
    return (await this.#transport.call({ method: "POST", path, body })) as ResourceOf<K>;
  }

  async update<K extends Kind>(resource: ResourceOf<K>): Promise<ResourceOf<K>> {
    const { name, namespace } = resource.metadata;
    const path = objectPath(resource.kind, objectKey({ kind: resource.kind, name, namespace }));
    const body = stringifyJson(resource);
    return (await this.#transport.call({ method: "PUT", path, body })) as ResourceOf<K>;
  }

  async delete<K extends Kind>(kind: K, name: string, options: DeleteOptions = {}) {
    const key = objectKey({ kind, name, namespace: options.namespace });
    const { resourceVersion, uid } = options;
    const preconditions = {
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(uid ? { uid } : {}),
    };
    const body = stringifyJson({ kind: "DeleteOptions", apiVersion: "v1", preconditions });
    const path = objectPath(kind, key);
    return (await this.#transport.call({ method: "DELETE", path, body })) as ResourceOf<K>;
  }

  async *watch<K extends Kind>(kind: K, options: WatchOptions): AsyncGenerator<WatchEvent<K>> {
    const query = new URLSearchParams({
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: options.resourceVersion,
    });
    const path = `${collectionPath(kind)}?${query}`;
    const { signal } = options;
    const idleLimitMs = silenceLimitMs;
    for await (const line of this.#transport.lines({ method: "GET", path, signal, idleLimitMs })) {
      const event = line as WireEvent;
      if (event.type === "ERROR") {
        const status = event.object as unknown as { code?: number };
        throw errorFromStatus(status, status.code ?? 500);
      }
      if (event.type === "BOOKMARK") {
        yield { type: "bookmark", resourceVersion: event.object.metadata.resourceVersion };
        continue;
      }
      const type = eventTypes[event.type];
      if (type === undefined) {
        throw new SwitchyardError("DATASTORE_UNAVAILABLE", `unknown watch event ${event.type}`);
      }
      yield { type, resource: event.object as unknown as ResourceOf<K> };
    }
  }

  async close(): Promise<void> {
    this.#transport.close();
  }
}
