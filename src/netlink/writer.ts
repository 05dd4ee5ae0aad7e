/**
 * Builds netlink payloads in one growing buffer. Numbers are in the host's order, which is little-endian
 * on every machine this product runs on (x86-64, arm64), except where a method says `be`.
 */

export class Writer {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): void {
    this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#grow(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  u16be(value: number): void {
    this.#grow(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#grow(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  u32be(value: number): void {
    this.#grow(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  bytes(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Starts a length-prefixed item (struct nlattr, struct rtnexthop); give the result to {@link end}. */
  begin(): number {
    this.u16(0);
    return this.#length - 2;
  }

  /** Writes the length at `start` and pads to 4 bytes. */
  end(start: number): void {
    this.#view.setUint16(start, this.#length - start, true);
    while (this.#length % 4 !== 0) this.u8(0);
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #grow(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const scratch = new Writer();

/** The bytes `build` writes. Not reentrant: `build` must not call this. */
export function build(write: (writer: Writer) => void): Uint8Array {
  try {
    write(scratch);
    return scratch.take();
  } catch (error) {
    scratch.take();
    throw error;
  }
}
