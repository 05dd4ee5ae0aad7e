/** The live picture of a running change: what a terminal shows, drawn anew with every change. Pure. */

import type { ChangePhase } from "../../../model/index.ts";
import { type ChangeFacts, type NodeProgress, nodeProgress } from "./facts.ts";
import { isEnd, type PhaseRecord, phaseRecords, phasesAhead, totalMs } from "./phases.ts";
import { nodesWithin } from "./screen-nodes.ts";
import {
  breachLines,
  confirmLines,
  guardLines,
  reasonLines,
  trapLines,
  verdictLines,
} from "./sections.ts";
import { changeTitle, driverNode, durationText, type Line, nameList, plainText } from "./text.ts";

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
}

/** The parts that matter least are left out first where the terminal is low. */
export function renderScreen(facts: ChangeFacts, options: ScreenOptions): readonly Line[] {
  const { change, nowMs } = facts;
  const progress = nodeProgress(facts);
  const head: Line[] = [
    { text: `${changeTitle(change)}   ${change.metadata.name}`, style: "strong" },
    { text: statusText(facts), style: "faint" },
    ...phaseLines(facts, progress),
  ];
  const tail = [...reasonLines(change), ...confirmLines(change, nowMs)];
  const optional: (readonly Line[])[] = [
    breachLines(progress).slice(0, 5),
    guardLines(facts, options),
    verdictLines(change).filter(({ style }) => style === "bad"),
    trapLines(change),
  ];
  let room = options.rows - 1 - head.length - tail.length;
  const body = optional.flatMap((part) => {
    if (part.length === 0 || part.length > room) return [];
    room -= part.length;
    return part;
  });
  // At the end nodes have forgotten the change: what they say of it means nothing.
  const nodes = isEnd(change.status?.phase)
    ? []
    : nodesWithin(progress, { columns: options.columns, rows: room });
  return [...head, ...body, ...nodes, ...tail];
}

/** Who drives, for how long, and what the operator has said. */
function statusText({ change, nowMs }: ChangeFacts): string {
  const { spec, status } = change;
  const words = [
    ...(spec.rollback ? ["going back as asked"] : []),
    ...(spec.paused ? ["paused"] : []),
    ...(spec.confirmed ? ["confirmed"] : []),
    ...(spec.skipProof ? [`without proof (${plainText(spec.skipProof.reason)})`] : []),
  ];
  const driver =
    status?.driver === undefined ? "nobody drives yet" : `driven by ${driverNode(status.driver)}`;
  return [durationText(totalMs(change, nowMs)), driver, ...words].join(", ");
}

const phaseWidth = 16;
const timeWidth = 12;

function phaseLines(facts: ChangeFacts, progress: readonly NodeProgress[]): readonly Line[] {
  const records = phaseRecords(facts.change, facts.nowMs);
  const current = facts.change.status?.phase;
  const behind = records.map((record, index): Line => {
    const running = index === records.length - 1 && !isEnd(record.phase);
    const text = running ? phaseNow(facts, progress) : lastMessage(record);
    const mark = running ? ">" : "*";
    const took = isEnd(record.phase) ? "" : durationText(record.durationMs);
    const line = `${mark} ${record.phase.padEnd(phaseWidth)}${took.padEnd(timeWidth)}${text}`;
    return { text: line.trimEnd(), ...styleOf(record.phase, running) };
  });
  const ahead =
    current === "RollingBack" || isEnd(current)
      ? []
      : phasesAhead(facts.change).map((phase): Line => ({ text: `  ${phase}`, style: "faint" }));
  return [...behind, ...ahead];
}

function styleOf(phase: ChangePhase, running: boolean): Pick<Line, "style"> {
  if (phase === "Refused" || phase === "RolledBack" || phase === "RollingBack") {
    return { style: "bad" };
  }
  if (running) return { style: "strong" };
  return { style: "good" };
}

function lastMessage({ messages }: PhaseRecord): string {
  return plainText(messages.at(-1) ?? "");
}

/** What the phase waits for, in figures. */
export function phaseNow(facts: ChangeFacts, progress: readonly NodeProgress[]): string {
  const { status, spec } = facts.change;
  const total = progress.length;
  const missing = (done: (node: NodeProgress) => boolean) => {
    const late = progress.filter((node) => !done(node)).map(({ node }) => node);
    return late.length === 0 || late.length === total ? "" : `; without ${nameList(late, 4)}`;
  };
  const count = (done: (node: NodeProgress) => boolean) => progress.filter(done).length;
  switch (status?.phase) {
    case "Proving": {
      const round = status.orders?.prove;
      const isDone = ({ proved }: NodeProgress) =>
        proved === "full" || (round === "first" && proved === "first");
      const what = round === "first" ? "first packets, one way" : "both ways, full size, TCP, loss";
      return `${what}: ${count(isDone)} of ${total} nodes${missing(isDone)}`;
    }
    case "Widening": {
      const isDone = ({ widened }: NodeProgress) => widened;
      return `${count(isDone)} of ${total} nodes receive ${spec.to ?? "the new way"}${missing(isDone)}`;
    }
    case "Canary":
    case "Rolling":
    case "Verifying": {
      const moved = count(({ moved }) => moved);
      const ordered = count((node) => node.ordered);
      const quiet = count((node) => node.quiet);
      return `${moved} of ${total} nodes moved (${ordered} ordered), ${quiet} quiet${waveText(facts, ordered)}`;
    }
    case "RollingBack":
      return status.orders
        ? `${count(({ moved }) => moved)} of ${total} nodes still send the new way`
        : `${count(({ obeys }) => obeys)} of ${total} nodes have not seen yet that it is over`;
    case "Narrowing":
      return "the pool is written; the old way is closed";
    default:
      return lastMessage(phaseRecords(facts.change, facts.nowMs).at(-1) ?? noRecord);
  }
}

const noRecord: PhaseRecord = { phase: "Planning", at: "", durationMs: 0, messages: [] };

function waveText({ change }: ChangeFacts, ordered: number): string {
  const waves = change.status?.waves ?? [];
  let sum = 0;
  const index = waves.findIndex((wave) => {
    sum += wave.length;
    return sum >= ordered;
  });
  if (index < 0 || ordered === 0) return "";
  return index === 0 ? ", the canary" : `, wave ${index} of ${waves.length - 1}`;
}
