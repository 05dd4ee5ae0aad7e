/** A datastore that loses races, answers in any order, and dies: what other clients and crashes do. */

import type { Datastore } from "../datastore/index.ts";
import { SwitchyardError } from "../lib/index.ts";

export interface UnreliableOptions {
  /** Share of updates and deletes that are refused as conflicts, 0..1. */
  readonly conflictShare?: number;
  readonly random?: () => number;
  /** From this write on (1 is the first) nothing answers any more. */
  readonly dieAtWrite?: number;
  /** The write at which it dies is done nevertheless; only its answer is lost. */
  readonly lastWriteLands?: boolean;
}

export class Died extends Error {}

export interface Unreliable {
  readonly store: Datastore;
  readonly writes: () => number;
}

export function unreliable(inner: Datastore, options: UnreliableOptions): Unreliable {
  const { conflictShare = 0, random = () => 0.99, dieAtWrite = Infinity } = options;
  let writes = 0;
  let dead = false;

  // Other clients' steps come in between: give way a random number of times.
  async function giveWay(): Promise<void> {
    for (let i = Math.floor(random() * 4); i > 0; i--) await Promise.resolve();
    if (dead) throw new Died("the process is dead");
  }

  async function write<T>(run: () => Promise<T>, mayConflict: boolean): Promise<T> {
    await giveWay();
    if (mayConflict && random() < conflictShare) {
      throw new SwitchyardError("RESOURCE_CONFLICT", "update conflict: injected");
    }
    if (++writes >= dieAtWrite) {
      dead = true;
      if (options.lastWriteLands) await run();
      throw new Died(`died at write ${writes}`);
    }
    return run();
  }

  async function read<T>(run: () => Promise<T>): Promise<T> {
    await giveWay();
    const result = await run();
    await giveWay();
    return result;
  }

  const store: Datastore = {
    get: (kind, name, how) => read(() => inner.get(kind, name, how)),
    list: (kind, how) => read(() => inner.list(kind, how)),
    create: (resource) => write(() => inner.create(resource), false),
    update: (resource) => write(() => inner.update(resource), true),
    delete: (kind, name, how) => write(() => inner.delete(kind, name, how), true),
    watch: (kind, how) => inner.watch(kind, how),
    close: () => inner.close(),
  };
  return { store, writes: () => writes };
}

/** Mulberry32: a repeatable source of randomness for a seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
