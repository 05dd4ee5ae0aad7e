/** Communities as people write them: `aa:nn` (RFC 1997), `aa:nn:mm` (RFC 8092). */

/** Two parts of 16 bits, or three of 32; `undefined` for what is neither. */
export function parseCommunity(text: string): readonly number[] | undefined {
  if (!/^(0|[1-9]\d{0,9})(:(0|[1-9]\d{0,9})){1,2}$/.test(text)) return undefined;
  const parts = text.split(":").map(Number);
  const limit = parts.length === 2 ? 2 ** 16 : 2 ** 32;
  return parts.every((part) => part < limit) ? parts : undefined;
}
