/** Big-endian numbers in and out of byte arrays; callers have checked the bounds. */

export function readUint16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! * 256 + bytes[offset + 1]!;
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset]! * 0x1000000 +
    bytes[offset + 1]! * 0x10000 +
    bytes[offset + 2]! * 0x100 +
    bytes[offset + 3]!
  );
}

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 255);
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** One character per byte: a key for hash tables. */
export function bytesToKey(bytes: Uint8Array): string {
  // `apply` is given the array as it is; spreading it would hand over number by number.
  if (bytes.length <= MOST_ARGUMENTS) return toText(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += MOST_ARGUMENTS) {
    text += toText(bytes.subarray(at, at + MOST_ARGUMENTS));
  }
  return text;
}

const MOST_ARGUMENTS = 8192;

function toText(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

/** For people to read, so many bytes of it at most: a peer decides how much there is. */
export function hexText(data: Uint8Array, most: number): string {
  const bytes = [...data.subarray(0, most)].map((byte) => byte.toString(16).padStart(2, "0"));
  const rest = data.length > most ? ` and ${data.length - most} bytes more` : "";
  return `${bytes.join(" ")}${rest}`;
}

/** Writes numbers and bytes one after the other, to be copied once in the end. Used again and again. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #end = 0;

  get length(): number {
    return this.#end;
  }

  clear(): void {
    this.#end = 0;
  }

  /** Of what was written so far, without a copy: good until more is written. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  uint8(value: number): void {
    this.#room(1);
    this.#bytes[this.#end++] = value;
  }

  uint16(value: number): void {
    this.#room(2);
    this.#bytes[this.#end++] = value >>> 8;
    this.#bytes[this.#end++] = value;
  }

  uint32(value: number): void {
    this.#room(4);
    this.#bytes[this.#end++] = value >>> 24;
    this.#bytes[this.#end++] = value >>> 16;
    this.#bytes[this.#end++] = value >>> 8;
    this.#bytes[this.#end++] = value;
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
  }

  #room(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#end + count));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
