/**
 * What table main of the kernel holds, without asking it each time: filled by one dump, then kept current
 * by the kernel's events and by what we write ourselves. A prefix with one ordinary route costs a place in
 * typed arrays; a prefix with anything else (several routes, other metrics, multipath) keeps them whole.
 */

import { formatPrefix, type Prefix, prefixFamily } from "../lib/index.ts";
import type { Route } from "../netlink/index.ts";
import { PrefixIndex } from "./prefix-index.ts";
import { hasOurMetric, RouteBodies, type RouteBody, routeOf } from "./route-body.ts";

/** In place of a body: none yet, and a prefix whose routes are in `#whole`. */
const NONE = 0;
const WHOLE = -1;

/** One family's prefixes, with the columns beside them. */
class Column {
  readonly index: PrefixIndex;
  bodies: Int32Array;
  /** Mark of the last {@link RouteTable.mark} of the prefix. */
  marks: Int32Array;

  constructor(family: 4 | 6, room: number) {
    this.index = new PrefixIndex(family, room);
    this.bodies = new Int32Array(this.index.capacity);
    this.marks = new Int32Array(this.index.capacity);
  }

  add(prefix: Prefix): number {
    const place = this.index.add(prefix);
    if (this.index.capacity > this.bodies.length) {
      const { bodies, marks } = this;
      this.bodies = new Int32Array(this.index.capacity);
      this.bodies.set(bodies);
      this.marks = new Int32Array(this.index.capacity);
      this.marks.set(marks);
    }
    return place;
  }

  remove(place: number): void {
    const last = this.index.remove(place);
    this.bodies[place] = this.bodies[last]!;
    this.marks[place] = this.marks[last]!;
    this.bodies[last] = NONE;
    this.marks[last] = 0;
  }
}

export class RouteTable {
  readonly bodies: RouteBodies;
  readonly #columns: readonly [Column, Column];
  readonly #whole = new Map<string, readonly Route[]>();
  /** How many prefixes have each body. */
  readonly #uses: number[] = [];
  #mark = 0;

  /** `before`: the table that this one replaces, of which it takes the bodies and the size. */
  constructor(before?: RouteTable) {
    this.bodies = before?.bodies ?? new RouteBodies();
    const [room4, room6] = before ? before.#columns.map(({ index }) => index.size) : [];
    this.#columns = [new Column(4, room4 ?? 0), new Column(6, room6 ?? 0)];
  }

  /** Prefixes with any route. */
  get size(): number {
    return this.#columns[0].index.size + this.#columns[1].index.size;
  }

  /** Adds a route behind those its prefix has: the order in which the kernel lists them. */
  append(route: Route): void {
    const column = this.#column(route.destination);
    const body = this.bodies.ofPlain(route);
    const before = column.index.size;
    const place = column.add(route.destination);
    if (column.index.size > before && body !== undefined) this.#setBody(column, place, body.id);
    else if (column.index.size > before) this.#setWhole(column, place, [route]);
    else this.#setWhole(column, place, [...this.at(route.destination), route]);
  }

  /** The routes of a prefix, in the kernel's order. */
  at(prefix: Prefix): readonly Route[] {
    const column = this.#column(prefix);
    const place = column.index.find(prefix);
    return place === -1 ? [] : this.#routesAt(column, place);
  }

  /** The only route of a prefix, if it is an ordinary one. */
  bodyAt(prefix: Prefix): RouteBody | undefined {
    const column = this.#column(prefix);
    const place = column.index.find(prefix);
    const id = place === -1 ? NONE : column.bodies[place]!;
    return id > 0 ? this.bodies.get(id) : undefined;
  }

  /** The route at our metric becomes this one, or is added: what `ip route replace` does. Marks it. */
  replace(prefix: Prefix, body: RouteBody): void {
    const column = this.#column(prefix);
    const place = column.add(prefix);
    column.marks[place] = this.#mark;
    if (column.bodies[place] !== WHOLE) {
      this.#setBody(column, place, body.id);
      return;
    }
    const routes = this.#routesAt(column, place);
    const ours = routes.findIndex(hasOurMetric);
    const route = routeOf(prefix, body);
    this.#set(column, place, ours === -1 ? [route, ...routes] : routes.with(ours, route));
  }

  /** Takes one route out; nothing happens if it is not here. */
  remove(route: Route): void {
    const column = this.#column(route.destination);
    const place = column.index.find(route.destination);
    if (place === -1) return;
    const routes = this.#routesAt(column, place);
    const gone = routes.findIndex((held) => sameRoute(held, route));
    if (gone !== -1) this.#set(column, place, routes.toSpliced(gone, 1));
  }

  /** Puts back what a prefix had: of a write that was refused. */
  restore(prefix: Prefix, routes: readonly Route[]): void {
    const column = this.#column(prefix);
    this.#set(column, column.add(prefix), routes);
  }

  /**
   * Takes in an event. False if it leaves open what the kernel holds now, because the prefix has another
   * route under the same key: that may have been replaced, or stand before or behind.
   */
  note(route: Route, removed: boolean): boolean {
    if (removed) {
      this.remove(route);
      return true;
    }
    const held = this.at(route.destination);
    if (held.some((other) => sameRoute(other, route))) return true;
    if (held.some((other) => (other.metric ?? 0) === (route.metric ?? 0))) return false;
    const behind = held.findIndex((other) => (other.metric ?? 0) > (route.metric ?? 0));
    this.restore(
      route.destination,
      behind === -1 ? [...held, route] : held.toSpliced(behind, 0, route),
    );
    return true;
  }

  /** Every route, as objects. */
  all(): Route[] {
    const all: Route[] = [];
    this.visit(({ routes }) => all.push(...routes()));
    return all;
  }

  /** True if any route leads over this device. */
  uses(device: number): boolean {
    for (let id = 1; id < this.#uses.length; id++) {
      if (this.#uses[id] && leadsOver(this.bodies.get(id), device)) return true;
    }
    for (const routes of this.#whole.values()) {
      if (routes.some((route) => leadsOver(route, device))) return true;
    }
    return false;
  }

  /** How many prefixes have just one, ordinary, route with a body that `wanted` takes. */
  countPlain(wanted: (body: RouteBody) => boolean): number {
    let count = 0;
    for (let id = 1; id < this.#uses.length; id++) {
      const uses = this.#uses[id] ?? 0;
      if (uses > 0 && wanted(this.bodies.get(id))) count += uses;
    }
    return count;
  }

  /** The routes of every prefix that is not just one ordinary route. */
  whole(): Iterable<readonly Route[]> {
    return this.#whole.values();
  }

  /** Forgets all marks. */
  beginMarks(): void {
    this.#mark++;
  }

  /** Marks a prefix, if it has a route. */
  mark(prefix: Prefix): void {
    const column = this.#column(prefix);
    const place = column.index.find(prefix);
    if (place !== -1) column.marks[place] = this.#mark;
  }

  isMarked(prefix: Prefix): boolean {
    const column = this.#column(prefix);
    const place = column.index.find(prefix);
    return place !== -1 && column.marks[place] === this.#mark;
  }

  /**
   * Marks a prefix as wanted with this body, and says what it has: this and nothing else, or another; twice
   * if it was marked before. One look for what comparing a whole plan does most.
   */
  compare(prefix: Prefix, body: RouteBody): "same" | "other" | "twice" {
    const column = this.#column(prefix);
    const place = column.index.find(prefix);
    if (place === -1) return "other";
    if (column.marks[place] === this.#mark) return "twice";
    column.marks[place] = this.#mark;
    return column.bodies[place] === body.id ? "same" : "other";
  }

  /** Visits every prefix; the entry is valid during the call only. Nothing may be changed meanwhile. */
  visit(visitor: (entry: TableEntry) => void): void {
    const sweep = this.sweep();
    while (sweep.some(Number.POSITIVE_INFINITY, visitor));
  }

  /**
   * A visit in pieces, from the last place to the first. What has been visited may be removed between two
   * pieces; what others remove or add meanwhile may be missed or met twice.
   */
  sweep(): Sweep {
    let family = 0;
    let place = this.#columns[0].index.size - 1;
    const entry = {
      body: undefined as RouteBody | undefined,
      marked: false,
      prefix: () => this.#columns[family]!.index.at(place),
      routes: () => this.#routesAt(this.#columns[family]!, place),
    };
    return {
      some: (most, visitor) => {
        const column = this.#columns[family]!;
        place = Math.min(place, column.index.size - 1);
        const end = Math.max(-1, place - most);
        for (; place > end; place--) {
          const id = column.bodies[place]!;
          entry.body = id > 0 ? this.bodies.get(id) : undefined;
          entry.marked = column.marks[place] === this.#mark;
          visitor(entry);
        }
        if (place >= 0) return true;
        if (++family === this.#columns.length) return false;
        place = this.#columns[family]!.index.size - 1;
        return true;
      },
    };
  }

  #column(prefix: Prefix): Column {
    return this.#columns[prefixFamily(prefix) === 4 ? 0 : 1];
  }

  #routesAt(column: Column, place: number): readonly Route[] {
    const id = column.bodies[place]!;
    if (id === NONE) return [];
    const prefix = column.index.at(place);
    if (id > 0) return [routeOf(prefix, this.bodies.get(id))];
    return this.#whole.get(formatPrefix(prefix)) ?? [];
  }

  #set(column: Column, place: number, routes: readonly Route[]): void {
    const [first] = routes;
    if (first === undefined) {
      this.#forget(column, place);
      column.remove(place);
      return;
    }
    const body = routes.length === 1 ? this.bodies.ofPlain(first) : undefined;
    if (body !== undefined) this.#setBody(column, place, body.id);
    else this.#setWhole(column, place, routes);
  }

  #setBody(column: Column, place: number, id: number): void {
    this.#forget(column, place);
    column.bodies[place] = id;
    this.#uses[id] = (this.#uses[id] ?? 0) + 1;
  }

  #setWhole(column: Column, place: number, routes: readonly Route[]): void {
    this.#forget(column, place);
    column.bodies[place] = WHOLE;
    this.#whole.set(formatPrefix(column.index.at(place)), routes);
  }

  #forget(column: Column, place: number): void {
    const id = column.bodies[place]!;
    if (id === WHOLE) this.#whole.delete(formatPrefix(column.index.at(place)));
    else if (id !== NONE) this.#uses[id]!--;
    column.bodies[place] = NONE;
  }
}

function leadsOver(route: Route | RouteBody, device: number): boolean {
  return route.device === device || (route.nextHops?.some((hop) => hop.device === device) ?? false);
}

export interface TableEntry {
  /** Undefined where the routes are kept whole: several, or one that is not ordinary. */
  readonly body: RouteBody | undefined;
  readonly marked: boolean;
  readonly prefix: () => Prefix;
  readonly routes: () => readonly Route[];
}

export interface Sweep {
  /** Visits up to so many more prefixes. False when all have been. */
  readonly some: (most: number, visitor: (entry: TableEntry) => void) => boolean;
}

/** As the kernel finds the one to delete: everything an event tells. */
function sameRoute(a: Route, b: Route): boolean {
  return (
    (a.metric ?? 0) === (b.metric ?? 0) &&
    a.type === b.type &&
    a.protocol === b.protocol &&
    a.gateway === b.gateway &&
    // The kernel hangs IPv6 blackholes and the like on `lo`: events say so, bodies do not.
    (a.device === b.device || a.type !== "unicast") &&
    (a.onlink ?? false) === (b.onlink ?? false) &&
    a.source === b.source &&
    a.mtu === b.mtu &&
    JSON.stringify(a.nextHops, bigintText) === JSON.stringify(b.nextHops, bigintText)
  );
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
