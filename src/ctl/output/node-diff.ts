/** `node diff` as text: a line per object with its reason below it, then how many differ. */

import type { AgentDiff } from "../../agent/index.ts";
import { renderDifference } from "../../plan/index.ts";

export function renderNodeDiff({ node, objects, differences }: AgentDiff): string {
  if (differences.length === 0) {
    return `node ${node}: the kernel holds the plan (${objects} objects)\n`;
  }
  const lines = differences.map((difference) => `${renderDifference(difference)}\n`);
  const count = (kind: string) => differences.filter((one) => one.kind === kind).length;
  const counts = [
    `${count("missing")} missing (+)`,
    `${count("unplanned")} not planned (-)`,
    `${count("differs")} different (~)`,
  ];
  return `${lines.join("")}node ${node}: ${counts.join(", ")}; the plan holds ${objects} objects\n`;
}
