/** Who comes before whom, the same for all who ask, and another order for each change. */

export interface Standing {
  /** How many nodes come first. */
  readonly rank: number;
  /** 0..1, for times that should not coincide. */
  readonly jitter: number;
}

export function standing(question: {
  readonly change: string;
  readonly node: string;
  readonly nodes: Iterable<string>;
}): Standing {
  const { change, node, nodes } = question;
  const own = hash(`${change}/${node}`);
  let rank = 0;
  for (const other of nodes) {
    const theirs = hash(`${change}/${other}`);
    if (theirs < own || (theirs === own && other < node)) rank++;
  }
  return { rank, jitter: own / 2 ** 32 };
}

/** FNV-1a, then mixed: names that differ in their last digit only are to be far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
