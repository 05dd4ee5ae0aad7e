/** Parts that the live screen and the report of a change have in common. */

import type { ModeChange, Trap, Verdict } from "../../../model/index.ts";
import {
  allNodes,
  type ChangeFacts,
  counterFigures,
  type NodeProgress,
  probeFigures,
} from "./facts.ts";
import { sparkline } from "./spark.ts";
import { durationText, type Line, nameList, plainText, rttText } from "./text.ts";

/** `refuse NODE_WITHOUT_AGENT: …`, its nodes, its remedy; what refuses comes first. */
export function trapLines(change: ModeChange): readonly Line[] {
  return linesOfTraps(change.status?.traps ?? [], change.spec);
}

/** What refuses comes first, what was accepted is said to be. */
export function linesOfTraps(found: readonly Trap[], spec: ModeChange["spec"]): readonly Line[] {
  const traps = [...found].sort(
    (a, b) => Number(a.severity === "warn") - Number(b.severity === "warn"),
  );
  return traps.flatMap((trap): Line[] => [
    {
      text: trapText(trap, { spec }),
      ...(trap.severity === "refuse" && { style: "bad" as const }),
    },
    ...(trap.nodes.length > 0 ? [{ text: `    nodes: ${nameList(trap.nodes)}` }] : []),
    ...(trap.remedy === "" ? [] : [{ text: `    remedy: ${plainText(trap.remedy)}` }]),
  ]);
}

/** The one line of it. An accepted trap refuses nothing. */
export function trapText(
  { code, severity, message }: Trap,
  change: Pick<ModeChange, "spec">,
): string {
  const accepted = severity === "refuse" && change.spec.accepted?.includes(code);
  return `${accepted ? "accepted" : severity} ${code}: ${plainText(message)}`;
}

export function verdictText(verdict: Verdict): string {
  const { ok, from, to, encapsulation, pairs, failed, message } = verdict;
  const count = failed > 0 ? `${failed} of ${pairs} pairs failed` : `${pairs} pairs`;
  return `${ok ? "good" : "FAILED"} ${from} -> ${to} (${encapsulation}, ${count}): ${plainText(message)}`;
}

export function verdictLines(change: ModeChange): readonly Line[] {
  return (change.status?.verdicts ?? []).map((verdict) => ({
    text: verdictText(verdict),
    style: verdict.ok ? "good" : "bad",
  }));
}

export interface SparkRoom {
  readonly columns: number;
  readonly unicode: boolean;
}

const widestSpark = 64;

/** Live probes in one line, round trips and losses of each node as bars, counters that rose. */
export function guardLines(facts: ChangeFacts, { columns, unicode }: SparkRoom): readonly Line[] {
  const figures = probeFigures(facts.evidence);
  if (figures === undefined) return [];
  const watched = allNodes(facts).flatMap((node) => {
    const probes = facts.evidence.get(node)?.guard?.probes;
    return probes ? [probes] : [];
  });
  const width = Math.max(8, Math.min(widestSpark, columns - 24));
  const spark = (values: readonly number[]) => sparkline(values, { width, unicode });
  const counters = Object.entries(counterFigures(facts.evidence));
  return [
    {
      text:
        `live probes: ${figures.sent} sent, ${figures.lost} lost; ` +
        `round trip p50 ${rttText(figures.rttP50Us)}, p99 ${rttText(figures.rttP99Us)}; longest gap ${figures.longestGapMs} ms`,
      style: figures.lost > 0 ? "bad" : "good",
    },
    { text: `  p99 by node  ${spark(watched.map(({ rttP99Us }) => rttP99Us))}` },
    ...(figures.lost > 0
      ? [
          {
            text: `  lost by node ${spark(watched.map(({ lost }) => lost))}`,
            style: "bad" as const,
          },
        ]
      : []),
    ...(counters.length > 0
      ? [{ text: `  counters: ${counters.map(([name, rise]) => `${name} +${rise}`).join(", ")}` }]
      : []),
  ];
}

export function breachLines(progress: readonly NodeProgress[]): readonly Line[] {
  return progress.flatMap(({ node, breaches }) =>
    breaches.map((breach): Line => ({ text: breachText(node, breach), style: "bad" })),
  );
}

export function breachText(node: string, breach: NodeProgress["breaches"][number]): string {
  const towards = breach.node === undefined ? "" : ` towards ${breach.node}`;
  return `breach ${breach.kind} at ${node}${towards}: ${plainText(breach.message)}`;
}

/** Why it went back or was refused, and what somebody should look at. */
export function reasonLines({ status }: ModeChange): readonly Line[] {
  const { reason, attention = [] } = status ?? {};
  // A change that is done has a reason too: what it ended as.
  const style = status?.phase === "Done" ? {} : { style: "bad" as const };
  return [
    ...(reason === undefined ? [] : [{ text: `reason: ${plainText(reason)}`, ...style }]),
    ...attention.map((text): Line => ({ text: `attention: ${plainText(text)}`, style: "bad" })),
  ];
}

/** Until when it waits for the operator's word, and how to give it. */
export function confirmLines(change: ModeChange, nowMs: number): readonly Line[] {
  const { spec, status, metadata } = change;
  if (status?.phase !== "AwaitingConfirm" || spec.confirmed || spec.rollback) return [];
  const { confirmBy } = status;
  const left = confirmBy === undefined ? undefined : Date.parse(confirmBy) - nowMs;
  return [
    {
      text:
        left === undefined
          ? "It waits to be confirmed."
          : `It goes back by itself at ${confirmBy} (in ${durationText(left)}) unless it is confirmed.`,
      style: "strong",
    },
    { text: `    switchyard mode confirm ${metadata.name}` },
    { text: `    switchyard mode rollback ${metadata.name}` },
  ];
}
