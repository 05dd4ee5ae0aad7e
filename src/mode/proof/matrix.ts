/** The proof as a table of nodes, a letter for each pair: what a terminal shows. */

import { type FindingKind, findingOf } from "./finding.ts";
import { type ProofInput, pairFacts } from "./pair-facts.ts";

export interface ProofMatrix {
  /** Rows send, columns receive. */
  readonly nodes: readonly string[];
  readonly cells: readonly (readonly string[])[];
  /** Meanings of the letters that are used. */
  readonly legend: readonly { readonly letter: string; readonly meaning: string }[];
}

const letters: Readonly<Record<FindingKind, string>> = {
  unreported: "?",
  unproved: "?",
  refused: "r",
  "dropped-both": "x",
  "dropped-one-way": "x",
  stateful: "s",
  "udp-dropped": "u",
  "no-reply": "a",
  mtu: "m",
  offload: "c",
  "tcp-dropped": "t",
  "tcp-stalled": "t",
  lossy: "l",
};
const GOOD = "+";
const NOT_CHOSEN = ".";

const meanings: Readonly<Record<string, string>> = {
  [GOOD]: "passes",
  "?": "not proved yet",
  r: "could not be sent",
  x: "dropped",
  s: "only replies pass",
  u: "UDP does not pass",
  a: "answers are lost",
  m: "full size does not pass",
  c: "offloaded checksums do not pass",
  t: "TCP does not pass, or stands still",
  l: "too many lost",
  [NOT_CHOSEN]: "not in the sample",
};

export function proofMatrix(input: ProofInput): ProofMatrix {
  const all = pairFacts(input);
  const nodes = [...new Set(all.map(({ from }) => from))].sort();
  const found = new Map(
    all.map((facts) => {
      const finding = findingOf(facts);
      return [`${facts.from} ${facts.to}`, finding === undefined ? GOOD : letters[finding]];
    }),
  );
  const cells = nodes.map((from) =>
    nodes.map((to) => (from === to ? " " : (found.get(`${from} ${to}`) ?? NOT_CHOSEN))),
  );
  const used = new Set(cells.flat());
  const legend = Object.entries(meanings)
    .filter(([letter]) => used.has(letter))
    .map(([letter, meaning]) => ({ letter, meaning }));
  return { nodes, cells, legend };
}
