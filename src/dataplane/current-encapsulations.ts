/** What carries each remote prefix now, as a map that reads the route table instead of copying it. */

import { formatPrefix, type Prefix, parsePrefix } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { Route } from "../netlink/index.ts";
import type { KernelTables } from "./kernel-tables.ts";
import { encapsulationOf, isWorkloadDevice, type Ownership, ownsRoute } from "./ownership.ts";
import { type RouteBody, routeOf } from "./route-body.ts";
import type { RouteTable } from "./route-table.ts";

/** By the text of the prefix. Follows the table: what is read later is as of later. */
export class CurrentEncapsulations implements ReadonlyMap<string, Encapsulation> {
  readonly #table: RouteTable;
  readonly #linkName: KernelTables["linkName"];
  readonly #ownership: Ownership;

  constructor({ routes, linkName }: KernelTables, ownership: Ownership) {
    this.#table = routes;
    this.#linkName = linkName;
    this.#ownership = ownership;
  }

  get size(): number {
    let size = this.#table.countPlain((body) => this.#carriedBy(SOME_PREFIX, body) !== undefined);
    for (const routes of this.#table.whole()) if (this.#firstOf(routes) !== undefined) size++;
    return size;
  }

  get(text: string): Encapsulation | undefined {
    const prefix = parsePrefix(text);
    if (prefix === undefined) return undefined;
    const body = this.#table.bodyAt(prefix);
    return body === undefined
      ? this.#firstOf(this.#table.at(prefix))
      : this.#carriedBy(prefix, body);
  }

  has(text: string): boolean {
    return this.get(text) !== undefined;
  }

  *entries(): Generator<[string, Encapsulation], undefined> {
    const all: [string, Encapsulation][] = [];
    this.#table.visit(({ body, prefix, routes }) => {
      const found =
        body === undefined ? this.#firstOf(routes()) : this.#carriedBy(SOME_PREFIX, body);
      if (found !== undefined) all.push([formatPrefix(prefix()), found]);
    });
    yield* all;
  }

  *keys(): Generator<string, undefined> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Generator<Encapsulation, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, Encapsulation], undefined> {
    return this.entries();
  }

  forEach(visit: (value: Encapsulation, key: string, map: this) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  /** The kernel lists the routes of one prefix best first: the first of ours is the one in use. */
  #firstOf(routes: readonly Route[]): Encapsulation | undefined {
    for (const route of routes) {
      const found = this.#carriedBy(route.destination, route);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #carriedBy(prefix: Prefix, route: RouteBody | Route): Encapsulation | undefined {
    if (route.type !== "unicast") return undefined;
    const device = route.device === undefined ? undefined : this.#linkName(route.device);
    if (isWorkloadDevice(this.#ownership, device)) return undefined;
    const whole = "id" in route ? routeOf(prefix, route) : route;
    return ownsRoute(this.#ownership, whole, device) ? encapsulationOf(device) : undefined;
  }
}

/** The prefix matters only to routes of workloads, which are left out before it is looked at. */
const SOME_PREFIX: Prefix = parsePrefix("0.0.0.0/0")!;
