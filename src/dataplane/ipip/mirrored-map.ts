/**
 * A BPF map with a copy of its contents in this process, so that a full desired state costs system
 * calls only for what differs. Keys and values are hex text of their bytes.
 */

import { setImmediate } from "node:timers/promises";
import type { BpfMap } from "../../lib/sys/index.ts";

/** Between two turns of the event loop; about 2 ms of system calls. */
const WRITES_PER_TURN = 2000;

export class MirroredMap {
  readonly #map: BpfMap;
  readonly #held = new Map<string, string>();

  /** Reads what the map holds: a predecessor's entries count as ours. */
  constructor(map: BpfMap) {
    this.#map = map;
    for (const key of map.keys()) {
      const value = map.get(key);
      if (value) this.#held.set(key.toString("hex"), value.toString("hex"));
    }
  }

  get size(): number {
    return this.#held.size;
  }

  /** Writes what is missing or different. Each entry changes in one step. */
  async put(desired: ReadonlyMap<string, string>): Promise<void> {
    const turn = turns();
    for (const [key, value] of desired) {
      if (this.#held.get(key) === value) continue;
      this.#map.set(Buffer.from(key, "hex"), Buffer.from(value, "hex"));
      this.#held.set(key, value);
      const pause = turn();
      if (pause) await pause;
    }
  }

  /** Deletes what is not desired. */
  async prune(desired: ReadonlyMap<string, string>): Promise<void> {
    const turn = turns();
    for (const key of [...this.#held.keys()]) {
      if (desired.has(key)) continue;
      this.#map.delete(Buffer.from(key, "hex"));
      this.#held.delete(key);
      const pause = turn();
      if (pause) await pause;
    }
  }
}

/** Lets the event loop run after every so many calls. */
function turns(): () => Promise<void> | undefined {
  let writes = 0;
  return () => (++writes % WRITES_PER_TURN === 0 ? setImmediate() : undefined);
}
