/** What a fuzz target is given: chunks of bytes with a pause after each, and the text it is replayed by. */

export interface Chunk {
  readonly bytes: Uint8Array;
  /** 0..9; what it means is the target's. */
  readonly pause: number;
}

export type Input = readonly Chunk[];

/** `ffff.3 0a0b.0` */
export function formatInput(input: Input): string {
  return input
    .map(({ bytes, pause }) => `${Buffer.from(bytes).toString("hex")}.${pause}`)
    .join(" ");
}

/** @throws RangeError */
export function parseInput(text: string): Input {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const [, hex, pause] = /^((?:[\da-f]{2})*)\.(\d)$/.exec(word) ?? [];
      if (hex === undefined) throw new RangeError(`not a chunk of hex digits and a pause: ${word}`);
      return { bytes: new Uint8Array(Buffer.from(hex, "hex")), pause: Number(pause) };
    });
}
