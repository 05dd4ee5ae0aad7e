/** Messages for unit tests: captured ones, and what our own request makers write. */

import { readFileSync } from "node:fs";
import type { Message } from "./message.ts";
import type { Request } from "./types.ts";

/** A payload as a message, inside a larger buffer so that reading past the end would succeed. */
export function messageOf(type: number, payload: Uint8Array, flags = 0): Message {
  const padded = new Uint8Array(payload.length + 64).fill(0xff);
  padded.set(payload, 16);
  const view = new DataView(padded.buffer);
  return { type, flags, sequence: 1, port: 0, view, start: 16, end: 16 + payload.length };
}

/** What the kernel would read of a request: its own messages have the same form. */
export function requestMessage({ type, flags, payload }: Request): Message {
  return messageOf(type, payload, flags);
}

export interface Capture {
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** Real messages of a 6.18 kernel. */
export function captures(
  file: "captures.txt" | "captures-generic.txt" = "captures.txt",
): Capture[] {
  return readFileSync(new URL(file, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [type, flags, hex] = line.split(" ");
      // Not a Buffer, whose slices share their bytes: tests change some.
      return {
        type: Number(type),
        flags: Number(flags),
        payload: Uint8Array.from(Buffer.from(hex!, "hex")),
      };
    });
}
