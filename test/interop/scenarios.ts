/** The table of scenarios: every folder of `scenarios`, its variants, and what each needs of a program. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Feature, Program } from "./programs/program.ts";
import type { Ends, Scenario } from "./scenario.ts";

const folder = join(import.meta.dirname, "scenarios");

/** By name; those whose names hold a word when told. @throws Error when there is none */
export async function loadScenarios(word = ""): Promise<ReadonlyMap<string, Scenario>> {
  const found = new Map<string, Scenario>();
  for (const name of readdirSync(folder).sort()) {
    if (!name.includes(word)) continue;
    const module = (await import(join(folder, name, "scenario.ts"))) as { scenario: Scenario };
    found.set(name, module.scenario);
  }
  if (found.size === 0) throw new Error(`no scenario in ${folder} is named like "${word}"`);
  return found;
}

interface Variant {
  /** Empty where there is one alone. */
  readonly variant: string;
  readonly needs: readonly Feature[];
  readonly ends: Ends;
}

export function variantsOf({ needs = [], variants }: Scenario): readonly Variant[] {
  if (variants === undefined) return [{ variant: "", needs, ends: {} }];
  return Object.entries(variants).map(([variant, { needs: more = [], ...ends }]) => {
    return { variant, needs: [...needs, ...more], ends };
  });
}

/** Why the program cannot play, in words; `undefined` when it can. */
export function missing(program: Program, needs: readonly Feature[]): string | undefined {
  return needs.map((feature) => program.lacks[feature]).find((reason) => reason !== undefined);
}
