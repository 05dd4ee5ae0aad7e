/**
 * The operator's words in Cease / Administrative Shutdown and Administrative Reset (RFC 9003): one
 * length byte, then UTF-8.
 */

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

/**
 * Quoted, characters that are not seen made harmless for logs and terminals, and bytes that are no UTF-8
 * replaced; empty where there is none, or where the length does not fit the data (section 4: log, and go on).
 */
export function shutdownCommunicationText(data: Uint8Array): string {
  const length = data[0] ?? 0;
  if (length === 0 || data.length < 1 + length) return "";
  const text = JSON.stringify(new TextDecoder().decode(data.subarray(1, 1 + length)));
  return text.replace(UNSEEN, (one) => one.split("").map(escaped).join(""));
}

/** As in JSON, which it stays. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
