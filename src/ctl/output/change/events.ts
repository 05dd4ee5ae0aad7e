/**
 * What happened between two looks at a change, a line per event: what is printed where no terminal is.
 * Lines begin with the change's name. They come from what the driver wrote, which is only added to, so
 * that nothing is missed between two looks and the same change prints the same lines. Pure.
 */

import { type ChangeFacts, nodeProgress } from "./facts.ts";
import { breachText, trapText, verdictText } from "./sections.ts";
import { nameList, plainText } from "./text.ts";

/** `before` is undefined at the first look: everything so far has happened. */
export function changeEvents(
  before: ChangeFacts | undefined,
  after: ChangeFacts,
): readonly string[] {
  return [
    ...storyEvents(before, after),
    ...breachEvents(before, after),
    ...wordEvents(before, after),
  ].map((text) => `${after.change.metadata.name}: ${text}`);
}

type Events = (before: ChangeFacts | undefined, after: ChangeFacts) => readonly string[];

/** Traps belong to the end of Planning, verdicts to that of Proving, however often one looked meanwhile. */
const storyEvents: Events = (before, after) => {
  const seen = before?.change.status?.history.length ?? 0;
  const history = after.change.status?.history.slice(seen) ?? [];
  const [traps, verdicts] = [trapEvents(before, after), verdictEvents(before, after)];
  const planned = history.findIndex(({ phase }) => phase !== "Planning");
  const proved = history.findIndex(({ phase }) => phase !== "Planning" && phase !== "Proving");
  const last = history.length - 1;
  return [
    ...history.flatMap(({ phase, message }, index) => [
      message === "" ? phase : `${phase}: ${plainText(message)}`,
      ...(index === (planned < 0 ? last : planned) ? traps : []),
      ...(index === (proved < 0 ? last : proved) ? verdicts : []),
    ]),
    ...(last < 0 ? [...traps, ...verdicts] : []),
  ];
};

const trapEvents: Events = (before, after) =>
  added(before?.change.status?.traps, after.change.status?.traps).map((trap) => {
    const nodes = trap.nodes.length > 0 ? `; nodes: ${nameList(trap.nodes)}` : "";
    const remedy = trap.remedy === "" ? "" : `; remedy: ${plainText(trap.remedy)}`;
    return `trap ${trapText(trap, after.change)}${nodes}${remedy}`;
  });

const verdictEvents: Events = (before, after) =>
  added(before?.change.status?.verdicts, after.change.status?.verdicts).map(
    (verdict) => `verdict ${verdictText(verdict)}`,
  );

const breachEvents: Events = (before, after) => {
  const of = (facts: ChangeFacts) =>
    nodeProgress(facts).flatMap(({ node, breaches }) =>
      breaches.map((breach) => breachText(node, breach)),
    );
  const seen = new Set(before === undefined ? [] : of(before));
  return [...new Set(of(after))].filter((text) => !seen.has(text));
};

/** What an operator says while it runs, and what is noted for one. */
const wordEvents: Events = (before, after) => {
  const was = before?.change.spec ?? {};
  const { spec, status } = after.change;
  return [
    ...(spec.paused && !was.paused ? ["paused: no further node moves"] : []),
    ...(was.paused && !spec.paused ? ["resumed"] : []),
    ...(before && spec.confirmed && !was.confirmed ? ["confirmed"] : []),
    ...(spec.rollback && !was.rollback ? ["rollback asked for"] : []),
    ...added(before?.change.status?.attention, status?.attention).map(
      (text) => `attention: ${plainText(text)}`,
    ),
  ];
};

/** Lists of the status are rewritten as a whole: what is new is told by what it says. */
function added<T>(before: readonly T[] | undefined, after: readonly T[] | undefined): readonly T[] {
  const seen = new Set((before ?? []).map((one) => JSON.stringify(one)));
  return (after ?? []).filter((one) => !seen.has(JSON.stringify(one)));
}
