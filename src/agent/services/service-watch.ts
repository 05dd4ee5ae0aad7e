/**
 * Follows Services and EndpointSlices, from when the BGPConfiguration first names service addresses until it
 * names none: a cluster has very many of them, and without such a name they are nobody's business here.
 */

import { Collection, type Datastore } from "../../datastore/index.ts";
import type { ServiceSettings } from "../../facts/index.ts";
import { type Clock, formatPrefix, isHostPrefix, type Prefix } from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import type { Kind, ResourceOf } from "../../model/index.ts";
import { toldCidrs } from "./advertise.ts";
import { serviceFacts, sliceFacts } from "./facts.ts";
import { type AddressChange, ServiceIndex } from "./service-index.ts";

export interface ServiceWatchOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when what is told has changed, and when all of it is known for the first time. */
  readonly changed: () => void;
}

interface Running {
  readonly settings: ServiceSettings;
  readonly index: ServiceIndex;
  readonly services: Collection<"Service">;
  readonly slices: Collection<"EndpointSlice">;
}

export class ServiceWatch {
  readonly #options: ServiceWatchOptions;
  #running: Running | undefined;
  #stopping: Promise<unknown> = Promise.resolve();

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
  }

  /** Takes what is configured now; `undefined`: nothing. `changed` is not called for it; true if it is something else. */
  follow(settings: ServiceSettings | undefined): boolean {
    const running = this.#running;
    if (settings === undefined && running === undefined) return false;
    if (settings === undefined || running?.settings.nodeName !== settings.nodeName) {
      this.#end();
      if (settings !== undefined) this.#running = this.#begin(settings);
      return true;
    }
    if (textOf(settings) === textOf(running.settings)) return false;
    running.index.setSettings(settings);
    this.#running = { ...running, settings };
    return true;
  }

  /** Everything that is to be told is known, or there is nothing to tell. */
  get synced(): boolean {
    const { services, slices } = this.#running ?? {};
    return (services?.synced ?? true) && (slices?.synced ?? true);
  }

  /** Why it is not. */
  get lastError(): string | undefined {
    return this.#running?.services.lastError ?? this.#running?.slices.lastError;
  }

  /** CIDRs and addresses to tell, each once. O(addresses). */
  told(): readonly Prefix[] {
    if (this.#running === undefined) return [];
    const { settings, index } = this.#running;
    const cidrs = toldCidrs(settings);
    return [...cidrs, ...without(index.addresses(), cidrs)];
  }

  /** What of it has changed since this or {@link told} was asked for last; settings are not looked at. */
  takeChange(): AddressChange {
    if (this.#running === undefined) return { add: [], remove: [] };
    const { settings, index } = this.#running;
    const { add, remove } = index.takeChange();
    const cidrs = toldCidrs(settings);
    return { add, remove: without(remove, cidrs) };
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#stopping;
  }

  #begin(settings: ServiceSettings): Running {
    const { changed, ...options } = this.#options;
    const index = new ServiceIndex(settings);
    const services = new Collection({ ...options, kind: "Service", keep: identityOf });
    const slices = new Collection({ ...options, kind: "EndpointSlice", keep: identityOf });
    services.onChange((changes) => {
      const told = changes.map(({ type, key, resource }) =>
        index.setService(key, type === "deleted" ? undefined : serviceFacts(resource)),
      );
      if (this.synced && told.includes(true)) changed();
    });
    slices.onChange((changes) => {
      const told = changes.map(({ type, key, resource }) => {
        const gone = type === "deleted";
        return index.setSlice(key, gone ? undefined : sliceFacts(resource, settings.nodeName));
      });
      if (this.synced && told.includes(true)) changed();
    });
    let synced = false;
    for (const collection of [services, slices]) {
      collection.onState(() => {
        if (synced || !services.synced || !slices.synced) return;
        synced = true;
        changed();
      });
      collection.start();
    }
    return { settings, index, services, slices };
  }

  #end(): void {
    const { services, slices } = this.#running ?? {};
    this.#running = undefined;
    this.#stopping = Promise.all([this.#stopping, services?.stop(), slices?.stop()]);
  }
}

/** A CIDR may be one address, and is told whoever has it. */
function without(addresses: readonly Prefix[], cidrs: readonly Prefix[]): readonly Prefix[] {
  const single = new Set(cidrs.filter(isHostPrefix).map(formatPrefix));
  if (single.size === 0) return addresses;
  return addresses.filter((prefix) => !single.has(formatPrefix(prefix)));
}

/** What the index needs of it is in the index. */
function identityOf<K extends Kind>({ apiVersion, kind, metadata }: ResourceOf<K>): ResourceOf<K> {
  const { name, namespace, uid, resourceVersion } = metadata;
  const identity = { name, namespace, uid, resourceVersion };
  return { apiVersion, kind, metadata: identity, spec: {} } as ResourceOf<K>;
}

function textOf({ clusterIPs, externalIPs, loadBalancerIPs, ...rest }: ServiceSettings): string {
  const lists = [clusterIPs, externalIPs, loadBalancerIPs];
  return JSON.stringify([lists.map((list) => list.map(formatPrefix)), rest]);
}
