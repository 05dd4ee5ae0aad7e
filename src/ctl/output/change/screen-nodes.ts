/** The nodes of a running change on the live screen, in as much room as there is. Pure. */

import type { NodeProgress } from "./facts.ts";
import type { Line } from "./text.ts";

interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** A line per node where there is room, else a letter per node, else the figures of the phases must do. */
export function nodesWithin(progress: readonly NodeProgress[], options: Room): readonly Line[] {
  const shown = [() => nodeLines(progress, options), () => nodeLetters(progress, options)];
  for (const lines of shown) {
    const part = lines();
    if (part.length <= options.rows) return part;
  }
  return [];
}

const letters = {
  "-": "nothing yet",
  r: "receives",
  p: "proved",
  m: "moving",
  M: "moved",
  Q: "moved, quiet",
  "!": "breach",
} as const;

function letterOf(one: NodeProgress): keyof typeof letters {
  if (one.breaches.length > 0) return "!";
  if (one.moved) return one.quiet ? "Q" : "M";
  if (one.ordered) return "m";
  if (one.proved === "full") return "p";
  return one.widened ? "r" : "-";
}

/** In the order of their names. */
function nodeLetters(progress: readonly NodeProgress[], { columns }: Room): readonly Line[] {
  const width = Math.max(1, columns - 2);
  const all = progress.map(letterOf);
  const rows = Array.from({ length: Math.ceil(all.length / width) }, (_, row) => {
    const part = all.slice(row * width, (row + 1) * width);
    return { text: `  ${part.join("")}`, ...(part.includes("!") && { style: "bad" as const }) };
  });
  const used = Object.entries(letters).filter(([letter]) =>
    all.includes(letter as keyof typeof letters),
  );
  const legend = used.map(([letter, meaning]) => `${letter} ${meaning}`).join("; ");
  return [...rows, { text: `  a letter per node: ${legend}`, style: "faint" }];
}

function nodeLines(progress: readonly NodeProgress[], { columns }: Room): readonly Line[] {
  const width = Math.min(
    Math.max(...progress.map(({ node }) => node.length), 4),
    Math.max(8, columns - 34),
  );
  return progress.map((one): Line => {
    const name = one.node.length > width ? `${one.node.slice(0, width - 1)}~` : one.node;
    const words = [
      one.widened ? "receives" : "-",
      one.proved === "no" ? "-" : `proof ${one.proved}`,
      one.moved ? "moved" : one.ordered ? "moving" : "-",
      one.breaches.length > 0 ? "BREACH" : one.quiet ? "quiet" : "-",
    ];
    const [receives = "", proof = "", moved = "", guard = ""] = words;
    const text = `  ${name.padEnd(width)} ${receives.padEnd(9)}${proof.padEnd(12)}${moved.padEnd(7)}${guard}`;
    return one.breaches.length > 0 ? { text, style: "bad" } : { text };
  });
}
