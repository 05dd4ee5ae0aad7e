/** For the fuzzer's own test: fails for one input in 2^32, and leads there byte by byte. */

import type { Input } from "./input.ts";

export function open([chunk]: Input): void {
  const bytes = chunk?.bytes ?? [];
  if (bytes[0] !== 0x42) return;
  if (bytes[1] !== 0x47) return;
  if (bytes[2] !== 0x50) return;
  if (bytes[3] !== 0x21) return;
  throw new Error("open");
}
