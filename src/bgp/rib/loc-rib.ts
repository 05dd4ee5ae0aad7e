/**
 * Loc-RIB: for each prefix the best of the paths the import policies let through, and those as good as
 * the best where they are used together. A prefix with one path, the usual case, costs a table slot and
 * no object.
 */

import type { MultipathConfig } from "../types.ts";
import { bestPath, compareBeforeMed } from "./decision.ts";
import { equalPaths } from "./multipath.ts";
import type { Path, Source } from "./path.ts";
import type { PrefixNumber } from "./prefix-index.ts";
import { PrefixMap } from "./prefix-map.ts";

/** What a change has come to, as far as somebody is to be told. */
export type Change = "best" | "equal" | "other" | undefined;

export class LocRib {
  /** Several paths: the best first. */
  readonly #routes = new PrefixMap<Path | readonly Path[]>();
  #multipath: MultipathConfig | undefined;

  constructor(multipath?: MultipathConfig) {
    this.#multipath = multipath;
  }

  get size(): number {
    return this.#routes.size;
  }

  numbers(): Generator<PrefixNumber, undefined> {
    return this.#routes.numbers();
  }

  best(number: PrefixNumber): Path | undefined {
    const entry = this.#routes.get(number);
    return Array.isArray(entry) ? entry[0] : (entry as Path | undefined);
  }

  /** All of them, the best first, the others in no order. */
  paths(number: PrefixNumber): readonly Path[] {
    const entry = this.#routes.get(number);
    if (entry === undefined) return [];
    return Array.isArray(entry) ? entry : [entry as Path];
  }

  /** All of them in the order in which they would be the best; each costs a look at those that are left. */
  *ranked(number: PrefixNumber): Generator<Path, void> {
    const left = [...this.paths(number)];
    while (left.length > 0) {
      const best = bestPath(left);
      yield best;
      left.splice(left.indexOf(best), 1);
    }
  }

  /** The best and those used together with it, each with a next hop of its own. */
  used(number: PrefixNumber): readonly Path[] {
    const paths = this.paths(number);
    return this.#multipath && paths.length > 1
      ? equalPaths(paths, this.#multipath)
      : paths.slice(0, 1);
  }

  /** Prefixes of which other paths may be used together now: those with several. */
  setMultipath(multipath: MultipathConfig | undefined): PrefixNumber[] {
    this.#multipath = multipath;
    return [...this.#routes.numbers()].filter((number) => Array.isArray(this.#routes.get(number)));
  }

  /** Whether one of the paths comes from such a source. */
  has(number: PrefixNumber, from: (source: Path["source"]) => boolean): boolean {
    const entry = this.#routes.get(number);
    if (entry === undefined) return false;
    return Array.isArray(entry)
      ? entry.some(({ source }: Path) => from(source))
      : from((entry as Path).source);
  }

  /** Takes the peer's path to the prefix, in place of the one it had (by that path identifier). */
  replace(number: PrefixNumber, path: Path): Change {
    const entry = this.#routes.get(number);
    const { peerId } = path.source;
    if (entry === undefined || isOf(entry, peerId, path.pathId)) {
      this.#routes.set(number, path);
      return entry !== undefined && sameRoute(entry as Path, path) ? undefined : "best";
    }
    if (Array.isArray(entry) && this.#multipath === undefined) return replaceWithin(entry, path);
    const before = Array.isArray(entry) ? (entry as readonly Path[]) : [entry as Path];
    const after = without(before, peerId, path.pathId);
    after.push(path);
    return this.#settle(number, before, after);
  }

  /** The peer has no path to the prefix (by that path identifier) any more. */
  remove(number: PrefixNumber, peerId: number, pathId: number): Change {
    const entry = this.#routes.get(number);
    if (entry === undefined) return undefined;
    if (isOf(entry, peerId, pathId)) {
      this.#routes.delete(number);
      return "best";
    }
    if (!Array.isArray(entry)) return undefined;
    const after = without(entry, peerId, pathId);
    return after.length === entry.length ? undefined : this.#settle(number, entry, after);
  }

  #settle(number: PrefixNumber, before: readonly Path[], after: readonly Path[]): Change {
    const best = bestPath(after);
    const paths = [best, ...after.filter((other) => other !== best)];
    this.#routes.set(number, paths.length === 1 ? best : paths);
    if (!sameRoute(before[0]!, best)) return "best";
    if (this.#multipath === undefined) return "other";
    const [then, now] = [equalPaths(before, this.#multipath), equalPaths(paths, this.#multipath)];
    const same = then.length === now.length && then.every((path, i) => sameRoute(path, now[i]!));
    return same ? "other" : "equal";
  }
}

/** The array is the table's own: nobody else keeps it. */
function replaceWithin(paths: Path[], path: Path): Change {
  const before = paths[0]!;
  const { peerId } = path.source;
  const at = paths.findIndex((one) => one.source.peerId === peerId && one.pathId === path.pathId);
  if (at < 0) {
    paths.push(path);
    // Worse by what stands before MED: it takes no part in what comes after.
    if (compareBeforeMed(path, before) > 0) return "other";
  } else {
    paths[at] = path;
  }
  const best = bestPath(paths);
  paths[paths.indexOf(best)] = paths[0]!;
  paths[0] = best;
  return sameRoute(before, best) ? "other" : "best";
}

/** It is the only one, and this peer's. */
function isOf(entry: Path | readonly Path[], peerId: number, pathId: number): boolean {
  if (Array.isArray(entry)) return false;
  const { source, pathId: known } = entry as Path;
  return source.peerId === peerId && known === pathId;
}

function without(paths: readonly Path[], peerId: number, pathId: number): Path[] {
  return paths.filter((path) => path.source.peerId !== peerId || path.pathId !== pathId);
}

/** A peer that came back with the same route has changed nothing, unless it is told to others in another way. */
function sameRoute(a: Path, b: Path): boolean {
  return a === b || (a.attributes === b.attributes && sameSource(a.source, b.source));
}

function sameSource(a: Source, b: Source): boolean {
  if (a === b) return true;
  if (a.peer !== b.peer || a.peerRouterId !== b.peerRouterId) return false;
  return a.routeReflectorClient === b.routeReflectorClient;
}
