/** `mode show` as text: all that is known of one change. Pure. */

import type { ModeChange } from "../../../model/index.ts";
import { type ChangeFacts, nodeProgress } from "./facts.ts";
import { renderMatrix } from "./matrix.ts";
import { isEnd, phaseRecords, totalMs } from "./phases.ts";
import {
  breachLines,
  confirmLines,
  guardLines,
  reasonLines,
  type SparkRoom,
  trapLines,
  verdictLines,
} from "./sections.ts";
import { changeTitle, durationText, type Line, nameList, plainText } from "./text.ts";

export function renderReport(facts: ChangeFacts, room: SparkRoom): readonly Line[] {
  const { change, nowMs } = facts;
  const progress = nodeProgress(facts);
  const problems = progress.flatMap(({ node, problems }) =>
    problems.map((problem) => ({ text: `${node}: ${plainText(problem)}` })),
  );
  const waiting = isEnd(change.status?.phase) ? [] : waitingLines(facts);
  return [
    { text: `${change.metadata.name}`, style: "strong" },
    ...headLines(change).map((text): Line => ({ text: `  ${text}` })),
    ...section("Phases", phaseLines(facts)),
    ...section("Traps", trapLines(change)),
    ...section("Proof", [...renderMatrix(facts, room.columns - 2), ...verdictLines(change)]),
    ...section("Waves", waveLines(change)),
    ...section("Guard", [...guardLines(facts, room), ...breachLines(progress)]),
    ...section("Problems", problems),
    ...section("Waiting", waiting),
    ...section("Outcome", [
      { text: outcomeText(facts) },
      ...reasonLines(change),
      ...confirmLines(change, nowMs),
    ]),
  ];
}

function section(title: string, lines: readonly Line[]): readonly Line[] {
  if (lines.length === 0) return [];
  return [
    { text: "" },
    { text: title, style: "strong" },
    ...lines.map((line): Line => ({ ...line, text: `  ${line.text}` })),
  ];
}

/** What was asked, by whom. */
function headLines(change: ModeChange): readonly string[] {
  const { spec, metadata } = change;
  const asked = [
    ...(spec.proveOnly ? ["proof only"] : []),
    ...(spec.canary === undefined ? [] : [`canary ${spec.canary}`]),
    ...(spec.wave === undefined ? [] : [`wave ${spec.wave}`]),
    ...(spec.confirmWithinSeconds === undefined
      ? []
      : [`confirm within ${durationText(spec.confirmWithinSeconds * 1000)}`]),
    ...(spec.seed === undefined ? [] : [`seed ${spec.seed}`]),
    ...(spec.confirmed ? ["confirmed"] : []),
    ...(spec.paused ? ["paused"] : []),
    ...(spec.rollback ? ["rollback asked for"] : []),
  ];
  return [
    changeTitle(change),
    ...(asked.length > 0 ? [asked.join(", ")] : []),
    ...(spec.blocks?.length ? [`blocks that go first: ${spec.blocks.join(", ")}`] : []),
    ...(spec.accepted?.length ? [`accepted: ${spec.accepted.join(", ")}`] : []),
    ...(spec.skipProof ? [`without proof: ${plainText(spec.skipProof.reason)}`] : []),
    `asked for by ${plainText(spec.requestedBy ?? "an unnamed client")} at ${metadata.creationTimestamp ?? "?"}`,
    ...(change.status?.driver === undefined ? [] : [`last driven by ${change.status.driver}`]),
  ];
}

function phaseLines({ change, nowMs }: ChangeFacts): readonly Line[] {
  return phaseRecords(change, nowMs)
    .flatMap(({ phase, at, durationMs, messages }) => {
      const took = isEnd(phase) ? "" : durationText(durationMs);
      const head = `${at}  ${phase.padEnd(16)}${took.padEnd(13)}`;
      const [first = "", ...rest] = messages.map(plainText);
      return [
        `${head}${first}`.trimEnd(),
        ...rest.map((text) => `${" ".repeat(head.length)}${text}`),
      ];
    })
    .map((text) => ({ text }));
}

/** The first is the canary, empty where there is none. */
function waveLines({ status }: ModeChange): readonly Line[] {
  return (status?.waves ?? []).flatMap((wave, index) =>
    wave.length === 0 ? [] : [{ text: `${index === 0 ? "canary" : index}: ${nameList(wave, 16)}` }],
  );
}

/** Nodes that have not done what they were told, while it runs. */
function waitingLines(facts: ChangeFacts): readonly Line[] {
  const orders = facts.change.status?.orders;
  if (!orders) return [];
  const lines = nodeProgress(facts).flatMap((one) => [
    ...(orders.widen && !one.widened ? [`${one.node}: is not ready to receive yet`] : []),
    ...(one.ordered && !one.moved ? [`${one.node}: has not moved yet`] : []),
    ...(orders.prove !== "no" && one.proved === "no"
      ? [`${one.node}: has not proved anything yet`]
      : []),
  ]);
  const listed = lines.slice(0, 20).map((text) => ({ text }));
  const more = lines.length - listed.length;
  return more > 0 ? [...listed, { text: `and ${more} more` }] : listed;
}

function outcomeText({ change, nowMs }: ChangeFacts): string {
  const { phase } = change.status ?? {};
  const took = durationText(totalMs(change, nowMs));
  if (phase === undefined) return "not begun: no agent has taken it up yet";
  return isEnd(phase) ? `${phase} after ${took}` : `${phase}, ${took} so far`;
}
