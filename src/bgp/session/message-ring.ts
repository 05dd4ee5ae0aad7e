/**
 * The last messages of one peer, bounded by bytes. Two buffers: one is written, the other holds what came
 * before; when the first is full they change places, and what is oldest is gone without being looked at.
 * A message is copied once, into a buffer that is there already; nothing is allocated for it.
 */

/** Time (8), length (4), tag (4). */
const HEADER_BYTES = 16;
const FIRST_BYTES = 512;

export interface RingEntry {
  readonly atMs: number;
  /** Whatever 32 bits the user keeps with it. */
  readonly tag: number;
  readonly bytes: Uint8Array;
}

interface Half {
  bytes: Uint8Array;
  view: DataView;
  end: number;
}

export class MessageRing {
  #limitBytes: number;
  #old: Half = makeHalf(0);
  #new: Half = makeHalf(0);

  /** 0: nothing is kept. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** False: it is larger than half of the limit, and was left out. */
  put(atMs: number, tag: number, message: Uint8Array): boolean {
    const half = this.#limitBytes >>> 1;
    const size = HEADER_BYTES + message.length;
    if (size > half) return false;
    if (this.#new.end + size > half) {
      const reused = this.#old;
      reused.end = 0;
      this.#old = this.#new;
      this.#new = reused;
    }
    const { end } = this.#new;
    if (end + size > this.#new.bytes.length) grow(this.#new, { size: end + size, limit: half });
    const { bytes, view } = this.#new;
    view.setFloat64(end, atMs);
    view.setUint32(end + 8, message.length);
    view.setUint32(end + 12, tag);
    bytes.set(message, end + HEADER_BYTES);
    this.#new.end = end + size;
    return true;
  }

  /** Copies, the oldest first. */
  entries(): RingEntry[] {
    return [...readHalf(this.#old), ...readHalf(this.#new)];
  }

  /** Keeps of what is there the latest that fits. */
  setLimit(limitBytes: number): void {
    if (limitBytes === this.#limitBytes) return;
    const kept = this.entries();
    this.#limitBytes = limitBytes;
    this.#old = makeHalf(0);
    this.#new = makeHalf(0);
    for (const { atMs, tag, bytes } of kept) this.put(atMs, tag, bytes);
  }
}

function makeHalf(size: number): Half {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer), end: 0 };
}

/** Doubled until the limit: most peers of a mesh say little. */
function grow(half: Half, { size, limit }: { size: number; limit: number }): void {
  const wanted = Math.max(size, FIRST_BYTES, 2 * half.bytes.length);
  const { bytes, view } = makeHalf(Math.min(limit, wanted));
  bytes.set(half.bytes.subarray(0, half.end));
  half.bytes = bytes;
  half.view = view;
}

function* readHalf({ bytes, view, end }: Half): Generator<RingEntry> {
  for (let at = 0; at < end; ) {
    const length = view.getUint32(at + 8);
    const from = at + HEADER_BYTES;
    const copy = bytes.slice(from, from + length);
    yield { atMs: view.getFloat64(at), tag: view.getUint32(at + 12), bytes: copy };
    at = from + length;
  }
}
