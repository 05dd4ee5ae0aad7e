/** `mode plan` as text. */

import type { ModeChangeSpec, Trap } from "../../model/index.ts";
import { linesOfTraps } from "./change/sections.ts";

export interface ModePlanDocument {
  readonly spec: ModeChangeSpec;
  /** By a trap that is not accepted. */
  readonly refused: boolean;
  readonly traps: readonly Trap[];
}

export function renderModePlan({ spec, refused, traps }: ModePlanDocument): string {
  const found = linesOfTraps(traps, spec).map(({ text }) => `  ${text}\n`);
  return [
    `Change of pool ${spec.pool} to ${spec.to}\n`,
    found.length === 0 ? "No traps found.\n" : `Traps:\n${found.join("")}`,
    refused
      ? "It would be refused: put right what refuses it, or accept the codes.\n"
      : "Nothing refuses it.\n",
  ].join("\n");
}
