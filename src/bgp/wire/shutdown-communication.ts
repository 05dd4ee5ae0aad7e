/**
 * The operator's words in Cease / Administrative Shutdown and Administrative Reset (RFC 9003): one
 * length byte, then UTF-8.
 */

import { hexText } from "./bytes.ts";

const MAXIMUM_BYTES = 255;

/** NOTIFICATION data; what is longer than the RFC allows is cut between two characters. */
export function encodeShutdownCommunication(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let length = Math.min(bytes.length, MAXIMUM_BYTES);
  // 10xxxxxx continues a character.
  while (length < bytes.length && length > 0 && (bytes[length]! & 0xc0) === 0x80) length--;
  const data = new Uint8Array(1 + length);
  data[0] = length;
  data.set(bytes.subarray(0, length), 1);
  return data;
}

/** What a terminal may obey, and what turns the direction of writing: JSON leaves most of it as it is. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** Of what is malformed. */
const SHOWN = 16;

/**
 * Quoted, and characters that are not seen made harmless for logs and terminals; empty where there is none.
 * What is malformed is said to be so (section 4), and no more comes of it.
 */
export function shutdownCommunicationText(data: Uint8Array): string {
  const length = data[0] ?? 0;
  if (length === 0) return "";
  if (data.length < 1 + length) {
    return `a malformed shutdown communication, ${hexText(data, SHOWN)}`;
  }
  const bytes = data.subarray(1, 1 + length);
  const text = JSON.stringify(new TextDecoder().decode(bytes));
  const harmless = text.replace(UNSEEN, (one) => one.split("").map(escaped).join(""));
  return isUtf8(bytes) ? harmless : `${harmless} (no valid UTF-8)`;
}

/** As in JSON, which it stays. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
