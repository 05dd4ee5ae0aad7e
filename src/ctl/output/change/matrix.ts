/**
 * The proof as a matrix, node by node: one character says whether packets from the node of the row reached
 * the node of the column in the new encapsulation, and if not, which kind failed first.
 */

import type { ModeEvidenceStatus, ProofResult } from "../../../model/index.ts";
import { allNodes, type ChangeFacts } from "./facts.ts";
import { type Line, nameList, plainText } from "./text.ts";

const marks = {
  good: ["+", "every packet went as it should"],
  error: ["E", "could not be sent"],
  first: ["1", "the first packet, one way, did not arrive"],
  both: ["B", "nothing came back"],
  size: ["M", "full-size packets do not fit"],
  tcp: ["T", "TCP did not complete"],
  loss: ["L", "some packets were lost"],
  waiting: ["?", "not finished"],
} as const;
export type PairState = keyof typeof marks;

export interface ProvedPair {
  readonly from: string;
  readonly to: string;
  readonly state: PairState;
  /** The kernel's words, or the figures. */
  readonly detail: string;
}

/** Every pair that some node has written of, in the order of the nodes. */
export function provedPairs(facts: ChangeFacts): readonly ProvedPair[] {
  return allNodes(facts).flatMap((from) =>
    (facts.evidence.get(from)?.results ?? []).map((result) => {
      const receiver = facts.evidence.get(result.node);
      const state = pairState({ from, result, receiver });
      return { from, to: result.node, state, detail: detailOf(result, state) };
    }),
  );
}

interface SeenPair {
  readonly from: string;
  readonly result: ProofResult;
  /** Of the node that should have heard the first packets. */
  readonly receiver: ModeEvidenceStatus | undefined;
}

function pairState({ from, result, receiver }: SeenPair): PairState {
  const { error, first, both, full, tcp, loss } = result;
  if (error !== undefined) return "error";
  if (first && first.sent > 0 && receiver && receiver.proved !== "no") {
    if (!receiver.heard.includes(from)) return "first";
  }
  if (both && both.sent > 0 && both.received === 0) return "both";
  if (full && !full.arrived) return "size";
  if (tcp && !tcp.completed) return "tcp";
  if ((loss && loss.received < loss.sent) || (both && both.received < both.sent)) return "loss";
  return both || full || tcp || loss ? "good" : "waiting";
}

function detailOf({ error, both, full, tcp, loss }: ProofResult, state: PairState): string {
  switch (state) {
    case "error":
      return plainText(error ?? "");
    case "size":
      return `${full?.bytes} bytes did not arrive${full?.largest === undefined ? "" : `, ${full.largest} did`}`;
    case "tcp":
      return `${tcp?.bytes} bytes of TCP did not get through`;
    case "loss":
      return loss && loss.received < loss.sent
        ? `${loss.sent - loss.received} of ${loss.sent} lost`
        : `${(both?.sent ?? 0) - (both?.received ?? 0)} of ${both?.sent} lost`;
    default:
      return marks[state][1];
  }
}

/** Whether it is a sign against the change. */
export function isFailed(state: PairState): boolean {
  return state !== "good" && state !== "waiting";
}

/** Larger clusters are sampled: a matrix of them would be mostly empty. */
const largestMatrix = 64;
const failuresListed = 20;

/** Empty while no node has written anything. Never wider than `columns`, where that can be. */
export function renderMatrix(facts: ChangeFacts, columns: number): readonly Line[] {
  const pairs = provedPairs(facts);
  if (pairs.length === 0) return [];
  const nodes = allNodes(facts);
  const nameWidth = Math.max(...nodes.map((node) => node.length));
  const fits = (step: number) => nameWidth + 5 + nodes.length * step <= columns;
  const step = nodes.length > largestMatrix ? undefined : [nodes.length > 9 ? 3 : 2, 1].find(fits);
  return [
    ...(step === undefined ? [] : grid({ nodes, pairs, nameWidth, step })),
    ...inWords(pairs, nodes.length),
  ];
}

interface Grid {
  readonly nodes: readonly string[];
  readonly pairs: readonly ProvedPair[];
  readonly nameWidth: number;
  /** Characters per column: numbers of two digits need 3, with blanks between them; 1 where room is short. */
  readonly step: number;
}

/** Columns are numbered, rows carry number and name. */
function grid({ nodes, pairs, nameWidth, step }: Grid): readonly Line[] {
  const states = new Map(pairs.map(({ from, to, state }) => [`${from} ${to}`, state]));
  const rows = nodes.map((from, index): Line => {
    const row = nodes.map((to) => states.get(`${from} ${to}`));
    const cells = nodes.map((to, column) => cellOf(row[column], from === to).padStart(step));
    const text = `${String(index + 1).padStart(2)} ${from.padEnd(nameWidth)} ${cells.join("")}`;
    return row.some((state) => state && isFailed(state)) ? { text, style: "bad" } : { text };
  });
  const used = (Object.keys(marks) as PairState[]).filter((state) =>
    pairs.some((pair) => pair.state === state),
  );
  const legend = used.map((state) => `${marks[state][0]} ${marks[state][1]}`).join("; ");
  return [
    ...headOf(nodes.length, step).map((text): Line => {
      return { text: `${" ".repeat(nameWidth + 4)}${text}`, style: "faint" };
    }),
    ...rows,
    { text: `rows send, columns receive; ${legend}`, style: "faint" },
  ];
}

/** Numbers of the columns; where a column has one character, tens stand above units. */
function headOf(count: number, step: number): readonly string[] {
  const numbers = Array.from({ length: count }, (_, index) => String(index + 1));
  if (step > 1) return [numbers.map((number) => number.padStart(step)).join("")];
  const tens = numbers.map((number) => (number.endsWith("0") ? number.at(-2) : " "));
  return [...(count > 9 ? [tens.join("")] : []), numbers.map((number) => number.at(-1)).join("")];
}

function cellOf(state: PairState | undefined, self: boolean): string {
  if (state !== undefined) return marks[state][0];
  return self ? "-" : ".";
}

/** How many pairs, of how many; each that failed, up to a screenful. */
function inWords(pairs: readonly ProvedPair[], nodeCount: number): readonly Line[] {
  const failed = pairs.filter(({ state }) => isFailed(state));
  const all = nodeCount * (nodeCount - 1);
  const sampled = pairs.length < all ? ` of ${all} (a sample)` : "";
  const waiting = pairs.filter(({ state }) => state === "waiting").length;
  const summary = `${pairs.length}${sampled} pairs of nodes: ${pairs.length - failed.length - waiting} good, ${failed.length} failed${waiting > 0 ? `, ${waiting} not finished` : ""}`;
  const listed = failed.slice(0, failuresListed).map(({ from, to, detail }): Line => {
    return { text: `  ${from} -> ${to}: ${detail}`, style: "bad" };
  });
  const rest = failed.slice(failuresListed);
  const senders = nameList([...new Set(rest.map(({ from }) => from))]);
  return [
    { text: summary, style: failed.length > 0 ? "bad" : "good" },
    ...listed,
    ...(rest.length > 0 ? [{ text: `  and ${rest.length} more, from ${senders}` }] : []),
  ];
}
