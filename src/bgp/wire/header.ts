/** The 19-byte message header (RFC 4271 section 4.1), written. */

import { HEADER_BYTES } from "./constants.ts";

export function encodeMessage(type: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + body.length);
  writeHeader(message, type);
  message.set(body, HEADER_BYTES);
  return message;
}

/** Fills the header of a message whose buffer has exactly its length. */
export function writeHeader(message: Uint8Array, type: number): void {
  message.fill(0xff, 0, 16);
  message[16] = message.length >>> 8;
  message[17] = message.length & 255;
  message[18] = type;
}
