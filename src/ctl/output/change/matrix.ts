/**
 * The proof as a matrix, node by node: one letter says what became of the packets from the node of the row to
 * the node of the column. The letters are those of the room `mode`, which also judges.
 */

import { proofMatrix } from "../../../mode/index.ts";
import type { ModeEvidence, NodeMode, ProofResult } from "../../../model/index.ts";
import { byNumber, type ChangeFacts } from "./facts.ts";
import { type Line, nameList, plainText } from "./text.ts";

export interface ProvedPair {
  readonly from: string;
  readonly to: string;
  readonly letter: string;
  /** Meaning of the letter, or the kernel's words, or the figures. */
  readonly detail: string;
}

export interface ProvedPairs {
  readonly nodes: readonly string[];
  readonly pairs: readonly ProvedPair[];
  readonly legend: readonly { readonly letter: string; readonly meaning: string }[];
}

const none: ProvedPairs = { nodes: [], pairs: [], legend: [] };
const GOOD = "+";
const NOT_PROVED = "?";
const NOT_CHOSEN = ".";

/** Whether it is a sign against the change. */
export function isFailed({ letter }: ProvedPair): boolean {
  return letter !== GOOD && letter !== NOT_PROVED;
}

/** None before any node has written what it saw. */
export function provedPairs(facts: ChangeFacts): ProvedPairs {
  const seen = [...facts.evidence.values()];
  if (!seen.some(({ results }) => results.length > 0)) return none;
  const { nodes, cells, legend } = proofMatrix(proofInput(facts));
  const meanings = new Map(legend.map(({ letter, meaning }) => [letter, meaning]));
  const pairs = nodes.flatMap((from, row) => {
    const results = new Map(facts.evidence.get(from)?.results.map((one) => [one.node, one]));
    return nodes.flatMap((to, column) => {
      const letter = cells[row]?.[column] ?? NOT_CHOSEN;
      if (from === to || letter === NOT_CHOSEN) return [];
      return [
        {
          from,
          to,
          letter,
          detail: detailOf(results.get(to), letter) ?? meanings.get(letter) ?? "",
        },
      ];
    });
  });
  return { nodes: [...nodes].sort(byNumber.compare), pairs, legend };
}

/** A node that came after the proof has no part in it. */
function proofInput({ change, nodes, nodeModes, evidence }: ChangeFacts) {
  const apiVersion = "switchyard.io/v1";
  const asked = change.status?.orders?.prove ?? "no";
  return {
    change,
    nodes: nodes.filter(({ metadata }) => asked !== "no" || evidence.has(metadata.name)),
    nodeModes: [...nodeModes].map(
      ([name, status]): NodeMode => ({
        apiVersion,
        kind: "NodeMode",
        metadata: { name },
        spec: {},
        status,
      }),
    ),
    evidence: [...evidence].map(
      ([node, status]): ModeEvidence => ({
        apiVersion,
        kind: "ModeEvidence",
        metadata: { name: `${change.metadata.name}.${node}` },
        spec: { change: change.metadata.name, node },
        status,
      }),
    ),
  };
}

/** Figures say more than the letter's meaning, where there are some. */
function detailOf(result: ProofResult | undefined, letter: string): string | undefined {
  const { error, full, loss } = result ?? {};
  if (letter === "r" && error !== undefined) return plainText(error);
  if (letter === "m" && full) {
    const largest = full.largest === undefined ? "" : `, ${full.largest} did`;
    return `${full.bytes} bytes did not arrive${largest}`;
  }
  if (letter === "l" && loss) return `${loss.sent - loss.received} of ${loss.sent} lost`;
  return undefined;
}

/** Larger clusters are sampled: a matrix of them would be mostly empty. */
const largestMatrix = 64;
const failuresListed = 20;

/** Empty while no node has written anything. Never wider than `columns`, where that can be. */
export function renderMatrix(facts: ChangeFacts, columns: number): readonly Line[] {
  const { nodes, pairs, legend } = provedPairs(facts);
  if (pairs.length === 0) return [];
  const nameWidth = Math.max(...nodes.map((node) => node.length));
  const fits = (step: number) => nameWidth + 5 + nodes.length * step <= columns;
  const step = nodes.length > largestMatrix ? undefined : [nodes.length > 9 ? 3 : 2, 1].find(fits);
  return [
    ...(step === undefined ? [] : grid({ nodes, pairs, legend, nameWidth, step })),
    ...inWords({ nodes, pairs, legend }, step !== undefined),
  ];
}

interface Grid extends ProvedPairs {
  readonly nameWidth: number;
  /** Characters per column: numbers of two digits need 3, with blanks between them; 1 where room is short. */
  readonly step: number;
}

/** Columns are numbered, rows carry number and name. */
function grid({ nodes, pairs, legend, nameWidth, step }: Grid): readonly Line[] {
  const found = new Map(pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  const rows = nodes.map((from, index): Line => {
    const row = nodes.map((to) => found.get(`${from} ${to}`));
    const cells = nodes.map((to, column) =>
      (row[column]?.letter ?? (from === to ? "-" : NOT_CHOSEN)).padStart(step),
    );
    const text = `${String(index + 1).padStart(2)} ${from.padEnd(nameWidth)} ${cells.join("")}`;
    return row.some((pair) => pair && isFailed(pair)) ? { text, style: "bad" } : { text };
  });
  const words = legend
    .filter(({ letter }) => letter !== " ")
    .map(({ letter, meaning }) => `${letter} ${meaning}`);
  return [
    ...headOf(nodes.length, step).map((text): Line => {
      return { text: `${" ".repeat(nameWidth + 4)}${text}`, style: "faint" };
    }),
    ...rows,
    { text: `rows send, columns receive; ${words.join("; ")}`, style: "faint" },
  ];
}

/** Numbers of the columns; where a column has one character, tens stand above units. */
function headOf(count: number, step: number): readonly string[] {
  const numbers = Array.from({ length: count }, (_, index) => String(index + 1));
  if (step > 1) return [numbers.map((number) => number.padStart(step)).join("")];
  const tens = numbers.map((number) => (number.endsWith("0") ? number.at(-2) : " "));
  return [...(count > 9 ? [tens.join("")] : []), numbers.map((number) => number.at(-1)).join("")];
}

/** How many pairs, of how many; each that failed, up to a screenful. */
function inWords({ nodes, pairs, legend }: ProvedPairs, drawn: boolean): readonly Line[] {
  const failed = pairs.filter(isFailed);
  const all = nodes.length * (nodes.length - 1);
  const sampled = pairs.length < all ? ` of ${all} (a sample)` : "";
  const waiting = pairs.filter(({ letter }) => letter === NOT_PROVED).length;
  const summary = `${pairs.length}${sampled} pairs of nodes: ${pairs.length - failed.length - waiting} good, ${failed.length} failed${waiting > 0 ? `, ${waiting} not proved` : ""}`;
  // Beside the matrix only what its letters do not say already.
  const meanings = new Set(drawn ? legend.map(({ meaning }) => meaning) : []);
  const telling = failed.filter(({ detail }) => !meanings.has(detail));
  const listed = telling.slice(0, failuresListed).map(({ from, to, detail }): Line => {
    return { text: `  ${from} -> ${to}: ${detail}`, style: "bad" };
  });
  const rest = telling.slice(failuresListed);
  const senders = nameList([...new Set(rest.map(({ from }) => from))]);
  return [
    { text: summary, style: failed.length > 0 ? "bad" : "good" },
    ...listed,
    ...(rest.length > 0 ? [{ text: `  and ${rest.length} more, from ${senders}` }] : []),
  ];
}
