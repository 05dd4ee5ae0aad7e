/**
 * Service addresses to tell, kept up to date at the cost of the one service that changed. Several services
 * may share an address: it is told as long as any of them wants it.
 */

import type { ServiceSettings } from "../../facts/index.ts";
import { formatPrefix, type Prefix } from "../../lib/index.ts";
import { toldAddresses } from "./advertise.ts";
import type { ServiceFacts, SliceFacts } from "./facts.ts";

interface Entry {
  facts: ServiceFacts | undefined;
  /** By the key of the slice. */
  readonly slices: Map<string, SliceFacts>;
  told: readonly Prefix[];
}

export interface AddressChange {
  readonly add: readonly Prefix[];
  readonly remove: readonly Prefix[];
}

interface Told {
  readonly prefix: Prefix;
  users: number;
}

export class ServiceIndex {
  #settings: ServiceSettings;
  /** By `namespace/name`; an EndpointSlice may come before its Service. */
  readonly #services = new Map<string, Entry>();
  /** The service of each slice. */
  readonly #owners = new Map<string, string>();
  readonly #told = new Map<string, Told>();
  /** By text: of which it may be told something else than was taken last. */
  readonly #changed = new Map<string, Prefix>();

  constructor(settings: ServiceSettings) {
    this.#settings = settings;
  }

  /** Each once, in no order. What has changed before is taken with it. */
  addresses(): Prefix[] {
    this.#changed.clear();
    return [...this.#told.values()].map(({ prefix }) => prefix);
  }

  /** What is told since this or {@link addresses} was asked for last, and what is not any more. */
  takeChange(): AddressChange {
    const changed = [...this.#changed];
    this.#changed.clear();
    const of = (isTold: boolean) =>
      changed.flatMap(([key, prefix]) => (this.#told.has(key) === isTold ? [prefix] : []));
    return { add: of(true), remove: of(false) };
  }

  /** O(services). True if what is told has changed, as with the rest. */
  setSettings(settings: ServiceSettings): boolean {
    this.#settings = settings;
    let changed = false;
    for (const key of this.#services.keys()) changed = this.#settle(key) || changed;
    return changed;
  }

  /** `undefined`: there is none, or none that has addresses. */
  setService(key: string, facts: ServiceFacts | undefined): boolean {
    this.#entry(key).facts = facts;
    return this.#settle(key);
  }

  setSlice(key: string, facts: SliceFacts | undefined): boolean {
    const before = this.#owners.get(key);
    let changed = false;
    if (before !== undefined && before !== facts?.service) {
      this.#owners.delete(key);
      this.#services.get(before)?.slices.delete(key);
      changed = this.#settle(before);
    }
    if (facts === undefined) return changed;
    this.#owners.set(key, facts.service);
    this.#entry(facts.service).slices.set(key, facts);
    return this.#settle(facts.service) || changed;
  }

  #entry(key: string): Entry {
    let entry = this.#services.get(key);
    if (entry === undefined) {
      entry = { facts: undefined, slices: new Map(), told: [] };
      this.#services.set(key, entry);
    }
    return entry;
  }

  #settle(key: string): boolean {
    const entry = this.#services.get(key);
    if (entry === undefined) return false;
    const { facts, slices, told } = entry;
    entry.told = facts ? toldAddresses(facts, slices.values(), this.#settings) : [];
    if (facts === undefined && slices.size === 0) this.#services.delete(key);
    let changed = false;
    // First those that come: an address that stays is not gone in between.
    for (const prefix of entry.told) changed = this.#use(prefix) || changed;
    for (const prefix of told) changed = this.#release(prefix) || changed;
    return changed;
  }

  #use(prefix: Prefix): boolean {
    const key = formatPrefix(prefix);
    const told = this.#told.get(key);
    if (told !== undefined) {
      told.users++;
      return false;
    }
    this.#told.set(key, { prefix, users: 1 });
    this.#changed.set(key, prefix);
    return true;
  }

  #release(prefix: Prefix): boolean {
    const key = formatPrefix(prefix);
    const told = this.#told.get(key);
    if (told === undefined || --told.users > 0) return false;
    this.#changed.set(key, prefix);
    return this.#told.delete(key);
  }
}
