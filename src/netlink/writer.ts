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

  u128be(value: bigint): void {
    this.#grow(16);
    this.#view.setBigUint64(this.#length, value >> 64n);
    this.#view.setBigUint64(this.#length + 8, value & 0xffff_ffff_ffff_ffffn);
    this.#length += 16;
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

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written behind `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Overwrites four bytes written before. */
  setU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  /** An attribute of four bytes. */
  attributeU32(type: number, value: number): void {
    this.#grow(8);
    const at = this.#length;
    this.#view.setUint32(at, 8 | (type << 16), true);
    this.#view.setUint32(at + 4, value, true);
    this.#length = at + 8;
  }

  /** An attribute of four bytes in network order: an IPv4 address. */
  attributeU32be(type: number, value: number): void {
    this.#grow(8);
    const at = this.#length;
    this.#view.setUint32(at, 8 | (type << 16), true);
    this.#view.setUint32(at + 4, value);
    this.#length = at + 8;
  }

  /** What was written, without a copy: valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
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
