/** `mode plan` as text: the whole in numbers, then node by node, then what stands in the way. */

import type { ChangePreview, Counts, Group, NodePreview } from "../../mode/index.ts";
import type { ModeChangeSpec, Trap } from "../../model/index.ts";
import type { Difference } from "../../plan/index.ts";
import { linesOfTraps } from "./change/sections.ts";
import { durationText, nameList, plainText } from "./change/text.ts";

export interface ModePlanDocument {
  readonly spec: ModeChangeSpec;
  /** By a trap that is not accepted. */
  readonly refused: boolean;
  readonly traps: readonly Trap[];
  readonly preview: ChangePreview;
}

export function renderModePlan(document: ModePlanDocument): string {
  const { spec, preview } = document;
  return [
    `Change of pool ${spec.pool} to ${spec.to}\n${summary(preview)}`,
    ...nodeSections(preview),
    `Proof: ${proofText(preview)}\n${wayText(document)}`,
  ].join("\n");
}

/** Waves, time and traps: of every change. */
export function wayText({
  spec,
  refused,
  traps,
  preview,
}: Omit<ModePlanDocument, "preview"> & {
  readonly preview: Pick<ChangePreview, "waves" | "duration">;
}): string {
  const found = linesOfTraps(traps, spec).map(({ text }) => `  ${text}\n`);
  return [
    `Waves: ${wavesText(preview)}\nExpected: ${durationLine(preview)}`,
    found.length === 0 ? "No traps found.\n" : `Traps:\n${found.join("")}`,
    refused
      ? "It would be refused: put right what refuses it, or accept the codes.\n"
      : "Nothing refuses it.\n",
  ].join("\n");
}

export const plural = (count: number, word: string) =>
  `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;

function summary({ moves, counts, nodes, unforeseen }: ChangePreview): string {
  const lines = moves.map(
    ({ from, to, routes, nodes: on }) =>
      `${plural(routes, "route")} would go from ${from} to ${to} on ${plural(on, "node")}`,
  );
  const mtus = nodes.filter(({ podMtu }) => podMtu.before !== podMtu.after);
  const [first] = mtus;
  if (first) {
    const { before, after } = first.podMtu;
    lines.push(`pods' MTU would go from ${before} to ${after} on ${plural(mtus.length, "node")}`);
  }
  const others = (["devices", "addresses", "firewall", "sysctls"] as const).flatMap((group) =>
    countText(group, counts[group]),
  );
  if (others.length > 0) lines.push(`${others.join("; ")}${ofSome(nodes)}`);
  if (lines.length === 0) lines.push("nothing would change on any node");
  const sessions = nodes.reduce((sum, node) => sum + node.bgpSessions, 0);
  lines.push(`BGP: ${plural(sessions, "session")} as they are`);
  for (const { node, why } of unforeseen.slice(0, 8)) {
    lines.push(`${node} cannot be foreseen: ${plainText(why)}`);
  }
  if (unforeseen.length > 8)
    lines.push(`and ${unforeseen.length - 8} nodes more cannot be foreseen`);
  return lines.map((line) => `  ${line}\n`).join("");
}

/** Counts of objects are of those nodes alone that are planned in full. */
function ofSome(nodes: readonly NodePreview[]): string {
  const full = nodes.filter(({ detail }) => detail).length;
  return full === nodes.length ? "" : ` (on ${full} of ${nodes.length} nodes)`;
}

function countText(group: Group, { added, removed, changed }: Counts): string[] {
  const parts = [
    ...(added > 0 ? [`${added} added`] : []),
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
  ];
  return parts.length === 0 ? [] : [`${group}: ${parts.join(", ")}`];
}

function nodeSections({ nodes }: ChangePreview): string[] {
  const detailed = nodes.filter(({ detail }) => detail !== undefined);
  const rest = nodes.length - detailed.length;
  return [
    ...detailed.map(nodeSection),
    ...(rest > 0
      ? [`${plural(rest, "node")} more: -o json has the routes that move on each.\n`]
      : []),
  ];
}

function nodeSection({ node, detail, unmoved, waiting }: NodePreview): string {
  const stay = unmoved > 0 ? ` (${plural(unmoved, "route")} to other nodes as they are)` : "";
  const lines = (detail?.differences ?? []).flatMap(differenceLines);
  if (lines.length === 0) lines.push("nothing changes");
  for (const why of waiting) lines.push(`! would wait: ${plainText(why)}`);
  return `${node}${stay}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** `+` is added, `-` removed, `~` altered, with what it is now. */
function differenceLines(difference: Difference): string[] {
  switch (difference.kind) {
    case "missing":
      return [`+ ${difference.planned}`];
    case "unplanned":
      return [`- ${difference.held}`];
    case "differs":
      return [`~ ${difference.planned}`, `    now: ${difference.held}`];
  }
}

function proofText({ proof }: ChangePreview): string {
  if (!proof) return "skipped";
  const { pairs, possible, sampled, subnetPairs } = proof;
  const which = sampled ? `a sample of ${pairs} of ${possible} pairs` : `all ${pairs} pairs`;
  return `${which} of nodes, ${plural(subnetPairs, "pair")} of subnets`;
}

function wavesText({ waves }: Pick<ChangePreview, "waves">): string {
  const [canary = [], ...others] = waves;
  const sizes = others.map((wave) => wave.length);
  const first = canary.length === 0 ? "no canary" : `canary ${nameList(canary, 4)}`;
  return sizes.length === 0 ? first : `${first}, then ${sizes.join(", ")}`;
}

function durationLine({ duration }: Pick<ChangePreview, "duration">): string {
  const parts = duration.parts.map(
    ({ phase, ms, because }) => `  ${phase}: ${durationText(ms)} (${because})\n`,
  );
  return `${durationText(duration.ms)}, and the time until it is confirmed\n${parts.join("")}`;
}
