/** Every scenario with one program; what it lacks is skipped with the reason. */

import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import type { Program } from "./programs/program.ts";
import { Stage } from "./scenario.ts";
import { loadScenarios, missing, variantsOf } from "./scenarios.ts";

/** Most of a scenario is waiting for timers of the other program. */
const AT_ONCE = 6;

export async function runScenarios(program: Program): Promise<void> {
  // A part of a scenario's name, to play only those.
  const scenarios = await loadScenarios(process.env.INTEROP_ONLY);
  const version = versionOf(program);
  const skip = version === undefined ? `${program.command[0]} is not installed` : false;
  describe(`${program.name}: ${version}`, { concurrency: AT_ONCE, skip }, () => {
    for (const [name, scenario] of scenarios) {
      for (const { variant, needs, ends } of variantsOf(scenario)) {
        const title = `${name}${variant && `, ${variant}`}: ${scenario.title}`;
        it(title, { skip: missing(program, needs) ?? false }, async () => {
          const stage = new Stage(program);
          try {
            await scenario.run(stage, ends, variant);
          } finally {
            await stage.close();
          }
        });
      }
    }
  });
}

/** The line it says it in; `undefined` when the program is not there. */
function versionOf({ command: [program, ...args] }: Program): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return error === undefined ? (stdout || stderr).split("\n")[0]?.trim() : undefined;
}
