/** Every folder of `scenarios` with one program: what it lacks is skipped with the reason. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Program } from "./programs/program.ts";
import { type Ends, type Scenario, Stage } from "./scenario.ts";

/** Most of a scenario is waiting for timers of the other program. */
const AT_ONCE = 6;

const folder = join(import.meta.dirname, "scenarios");
/** A part of a scenario's name, to play only those. */
const only = process.env.INTEROP_ONLY ?? "";

const once: NonNullable<Scenario["variants"]> = { "": {} };

async function load(): Promise<ReadonlyMap<string, Scenario>> {
  const found = new Map<string, Scenario>();
  for (const name of readdirSync(folder).sort()) {
    if (!name.includes(only)) continue;
    const module = (await import(join(folder, name, "scenario.ts"))) as { scenario: Scenario };
    found.set(name, module.scenario);
  }
  if (found.size === 0) throw new Error(`no scenario in ${folder} is named like "${only}"`);
  return found;
}

async function play(
  program: Program,
  scenario: Scenario,
  [variant, ends]: readonly [string, Ends],
): Promise<void> {
  const stage = new Stage(program);
  try {
    await scenario.run(stage, ends, variant);
  } finally {
    await stage.close();
  }
}

export async function runScenarios(program: Program): Promise<void> {
  const scenarios = await load();
  describe(program.name, { concurrency: AT_ONCE }, () => {
    for (const [name, scenario] of scenarios) {
      const { needs = [], variants = once } = scenario;
      for (const [variant, { needs: more = [], ...ends }] of Object.entries(variants)) {
        const missing = [...needs, ...more].find((feature) => program.lacks[feature]);
        const skip = missing === undefined ? false : program.lacks[missing]!;
        const title = `${name}${variant && `, ${variant}`}: ${scenario.title}`;
        it(title, { skip }, () => play(program, scenario, [variant, ends]));
      }
    }
  });
}
