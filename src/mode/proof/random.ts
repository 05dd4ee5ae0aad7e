/** Chance that everybody repeats: the same numbers from the same seed, on every node. */

/** Numbers in [0, 1): Marsaglia's xorshift32, its state stirred so that near seeds begin differently. */
export function randomNumbers(seed: number): () => number {
  let state = (Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) ^ 0x6b43a9b5) | 0;
  if (state === 0) state = 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Fisher and Yates. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
