/** The cases of the BGP benchmark: which peers a speaker has, and what they do step by step. Pure. */

import type { AddressFamily } from "../src/bgp/index.ts";

/** `fabric`: external feeders; `mesh`: internal ones; `reflector`: internal ones that are its clients. */
export type Shape = "fabric" | "mesh" | "reflector";

export interface BgpCase {
  readonly name: string;
  readonly shape: Shape;
  readonly family: AddressFamily;
  readonly feeders: number;
  /** Of each feeder. */
  readonly prefixes: number;
  /** All feeders announce the same prefixes. */
  readonly overlapping: boolean;
  /** How often everything is announced, announced otherwise and withdrawn in `churn`. */
  readonly churnRounds: number;
  readonly steps: readonly Step[];
}

/** Flaps are one feeder's: of its routes over a session that stays, or of its session. */
export type Step = "announce" | "withdraw" | "churn" | "route-flap" | "session-flap";

export const allSteps = ["announce", "withdraw", "churn", "route-flap", "session-flap"] as const;

/** `scale` 1 is the full size; of the steps only those named, and `announce`, with which each case begins. */
export function bgpCases(scale = 1, steps: readonly string[] = allSteps): readonly BgpCase[] {
  const many = (count: number) => Math.max(1, Math.round(count * scale));
  // So that the feeder whose path is shortest differs from prefix to prefix by turns.
  const tens = (count: number) => Math.max(100, Math.round((count * scale) / 100) * 100);
  const nodes = { feeders: Math.max(2, many(500)), prefixes: 4, churnRounds: 0 } as const;
  const ipv4 = { family: "ipv4-unicast", overlapping: false } as const;
  const fabric = { ...ipv4, shape: "fabric", feeders: 1, churnRounds: 8 } as const;
  const kinds = {
    table: ["announce", "withdraw", "churn"],
    overlap: ["announce", "churn"],
    nodes: ["announce", "route-flap", "session-flap"],
  } as const;
  const cases: readonly BgpCase[] = [
    { ...fabric, name: "table", prefixes: many(500_000), steps: kinds.table },
    {
      ...{ ...fabric, name: "table6", family: "ipv6-unicast", prefixes: many(250_000) },
      steps: kinds.table,
    },
    {
      ...{ ...fabric, name: "overlap", feeders: 10, prefixes: tens(100_000), overlapping: true },
      ...{ churnRounds: 3, steps: kinds.overlap },
    },
    { ...ipv4, ...nodes, name: "mesh", shape: "mesh", steps: kinds.nodes },
    { ...ipv4, ...nodes, name: "reflector", shape: "reflector", steps: kinds.nodes },
  ];
  const wanted = (step: Step) => step === "announce" || steps.includes(step);
  return cases.map((each) => ({ ...each, steps: each.steps.filter(wanted) }));
}

/** Different prefixes of all feeders together. */
export function prefixCount({ feeders, prefixes, overlapping }: BgpCase): number {
  return overlapping ? prefixes : feeders * prefixes;
}
