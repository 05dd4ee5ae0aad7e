/** Cuts the TCP byte stream into messages and checks each header (RFC 4271 section 6.1). */

import { HEADER_BYTES, MAXIMUM_MESSAGE_BYTES, messageType } from "./constants.ts";
import { ProtocolError } from "./notification.ts";

/** Shortest message of each type (RFC 4271 section 4); ROUTE-REFRESH is judged when it is read. */
const minimumBytes: Readonly<Record<number, number>> = {
  [messageType.open]: 29,
  [messageType.update]: 23,
  [messageType.notification]: 21,
  [messageType.keepalive]: HEADER_BYTES,
  [messageType.routeRefresh]: HEADER_BYTES,
};

export class Framer {
  /** RFC 8654: 65535 once both sides announced it; OPEN and KEEPALIVE stay at 4096. */
  maximumBytes = MAXIMUM_MESSAGE_BYTES;
  /** Bytes from `#offset` to `#end` were received and not yet taken. */
  #buffer: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #end = 0;
  /** The buffer is ours, with room behind `#end`; messages taken from it stay as they are. */
  #growable = false;

  push(chunk: Uint8Array): void {
    const rest = this.#end - this.#offset;
    if (rest === 0) {
      this.#buffer = chunk;
      this.#offset = 0;
      this.#end = chunk.length;
      this.#growable = false;
      return;
    }
    const length = rest + chunk.length;
    if (!this.#growable || this.#end + chunk.length > this.#buffer.length) {
      // Twice what is there: a message that comes byte by byte is not copied for each byte.
      const grown = new Uint8Array(2 * length);
      grown.set(this.#buffer.subarray(this.#offset, this.#end));
      this.#buffer = grown;
      this.#offset = 0;
      this.#end = rest;
      this.#growable = true;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole message, header included; `undefined` if there is none yet. @throws ProtocolError */
  next(): Uint8Array | undefined {
    const available = this.#end - this.#offset;
    if (available < HEADER_BYTES) return undefined;
    const length = this.#checkHeader();
    if (available < length) return undefined;
    const message = this.#buffer.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return message;
  }

  #checkHeader(): number {
    const start = this.#offset;
    const bytes = this.#buffer;
    for (let i = 0; i < 16; i++) {
      if (bytes[start + i] !== 0xff) {
        throw new ProtocolError("notSynchronized", `marker byte ${i} is not 0xff`);
      }
    }
    const length = bytes[start + 16]! * 256 + bytes[start + 17]!;
    const type = bytes[start + 18]!;
    const minimum = minimumBytes[type];
    if (length < HEADER_BYTES || length > this.maximumBytes) throw badLength(length, type);
    if (minimum === undefined) {
      throw new ProtocolError("badMessageType", `type ${type}`, Uint8Array.of(type));
    }
    const short = type === messageType.open || type === messageType.keepalive;
    if (
      length < minimum ||
      (type === messageType.keepalive && length !== minimum) ||
      (short && length > MAXIMUM_MESSAGE_BYTES)
    ) {
      throw badLength(length, type);
    }
    return length;
  }
}

export function badLength(length: number, type: number): ProtocolError {
  return new ProtocolError(
    "badMessageLength",
    `length ${length} of a message of type ${type}`,
    Uint8Array.of(length >>> 8, length & 255),
  );
}
