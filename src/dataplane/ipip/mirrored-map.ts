/**
 * A BPF map with a copy of its contents in this process, so that a full desired state costs system
 * calls only for what differs. Keys and values are numbers here, bytes by a codec in the kernel.
 */

import { setImmediate } from "node:timers/promises";
import type { BpfMap } from "../../lib/sys/index.ts";
import type { EntryCodec } from "./layout.ts";

/** Between two turns of the event loop; a few milliseconds of system calls. */
const CALLS_PER_TURN = 500;

export class MirroredMap {
  readonly #map: BpfMap;
  readonly #codec: EntryCodec;
  readonly #held: Map<number, number>;

  private constructor(map: BpfMap, codec: EntryCodec, held: Map<number, number>) {
    this.#map = map;
    this.#codec = codec;
    this.#held = held;
  }

  /** Reads what the map holds: a predecessor's entries count as ours. */
  static async open(map: BpfMap, codec: EntryCodec): Promise<MirroredMap> {
    const held = new Map<number, number>();
    for (const [key, value] of map.entries()) {
      held.set(codec.decodeKey(key), codec.decodeValue(value));
      if (held.size % CALLS_PER_TURN === 0) await setImmediate();
    }
    return new MirroredMap(map, codec, held);
  }

  /** Writes what is missing or different. Each entry changes in one step. */
  async put(desired: ReadonlyMap<number, number>): Promise<void> {
    let writes = 0;
    for (const [key, value] of desired) {
      if (this.#held.get(key) === value) continue;
      this.#map.set(this.#codec.encodeKey(key), this.#codec.encodeValue(value));
      this.#held.set(key, value);
      if (++writes % CALLS_PER_TURN === 0) await setImmediate();
    }
  }

  /** Deletes what is not desired. */
  async prune(desired: ReadonlyMap<number, number>): Promise<void> {
    let writes = 0;
    for (const key of this.#held.keys()) {
      if (desired.has(key)) continue;
      this.#map.delete(this.#codec.encodeKey(key));
      this.#held.delete(key);
      if (++writes % CALLS_PER_TURN === 0) await setImmediate();
    }
  }
}
