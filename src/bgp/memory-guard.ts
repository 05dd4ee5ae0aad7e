/**
 * The last bound on what peers tell: when the process uses half of the memory it may have, the session
 * whose routes take the most ends, and its peer is not spoken with for a while. Better one peer without
 * routes than none: a heap that is full ends the process.
 */

import type { Clock } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";

export interface MemoryUse {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

export interface Memory {
  /** Calls back with what is in use after all that is not has been collected; returns how to stop that. */
  watch(listener: (use: MemoryUse) => void): () => void;
}

/** Tables grow by doubling: what is in use may become twice as much in a moment. */
const MOST = 0.5;
/** From here on nothing is waited for. */
const DANGER = 0.8;
/** Ending a session that holds less than this of what is in use would help nobody. */
const WORTHWHILE = 0.1;
/** Until what was given up is collected. */
const SETTLE_MS = 10_000;

export interface GuardedPeer {
  readonly config: { readonly name: string };
  /** Roughly. */
  heldBytes(): number;
  giveWay(reason: string): void;
}

export interface MemoryGuardOptions<P> {
  readonly clock: Clock;
  readonly log: Log;
  readonly memory: Memory;
  readonly peers: () => Iterable<P>;
}

export class MemoryGuard<P extends GuardedPeer> {
  readonly #options: MemoryGuardOptions<P>;
  #stop: (() => void) | undefined;
  #settledAtMs = Number.NEGATIVE_INFINITY;
  /** Gives its routes up, little by little. */
  #leaving: P | undefined;

  constructor(options: MemoryGuardOptions<P>) {
    this.#options = options;
  }

  start(): void {
    this.#stop ??= this.#options.memory.watch((use) => this.#look(use));
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#leaving = undefined;
  }

  #look(use: MemoryUse): void {
    const share = use.usedBytes / use.limitBytes;
    if (share < MOST || (share < DANGER && !this.#settled())) return;
    let largest: { peer: P; bytes: number } | undefined;
    for (const peer of this.#options.peers()) {
      const bytes = peer.heldBytes();
      if (largest === undefined || bytes > largest.bytes) largest = { peer, bytes };
    }
    if (largest === undefined || largest.bytes < WORTHWHILE * use.usedBytes) return;
    const { peer, bytes } = largest;
    this.#leaving = peer;
    this.#settledAtMs = this.#options.clock.monotonicMs() + SETTLE_MS;
    const [used, limit, routes] = [use.usedBytes, use.limitBytes, bytes].map(megabytes);
    this.#options.log.error(
      { peer: peer.config.name },
      `${used} MB of memory are in use, of ${limit}; the routes of this peer take the most, some ${routes}: its session ends`,
    );
    peer.giveWay(`${used} MB of memory in use, of ${limit}, most of it by this peer's routes`);
  }

  #settled(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if ((this.#leaving?.heldBytes() ?? 0) > 0) this.#settledAtMs = nowMs + SETTLE_MS;
    else this.#leaving = undefined;
    return nowMs >= this.#settledAtMs;
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
