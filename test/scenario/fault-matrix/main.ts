/** `npm run matrix`: every trouble at every step boundary of a mode change, on a live lab; exit code 1 if one breaks the promise. */

import { parseArgs } from "node:util";
import { errorText } from "../../../src/lib/index.ts";
import { Stage } from "../stage.ts";
import { boundaries } from "./boundaries.ts";
import { modeOf, nextMode, runCase } from "./run-case.ts";
import { matrixLab, troubles } from "./troubles.ts";

const { values } = parseArgs({
  options: {
    /** Only boundaries or troubles whose words contain this. */
    only: { type: "string", default: "" },
  },
});
const cases = boundaries
  .flatMap((boundary) => troubles.map((trouble) => ({ boundary, trouble })))
  .map((item, index) => ({
    ...item,
    index,
    name: `${item.trouble.name} when ${item.boundary.name}`,
  }))
  .filter(({ name }) => name.includes(values.only));
const print = (line: string) => process.stdout.write(`${line}\n`);

print(`${boundaries.length} boundaries x ${troubles.length} troubles: ${cases.length} cases`);
const broken: string[] = [];
const ends = new Map<string, number>();
for (const { boundary, trouble, index, name } of cases) {
  // A lab of its own for each would take longer than the case; after a broken one it is made anew.
  const stage = await Stage.reopen("matrix", matrixLab);
  try {
    const to = nextMode(await modeOf(stage), index);
    const report = await runCase(stage, { boundary, trouble, to });
    ends.set(report.end, (ends.get(report.end) ?? 0) + 1);
    const { from, end, mode, sent, lost, tookMs, reason } = report;
    print(
      `ok   ${name}: ${from} to ${to}: ${end}, ${mode}; ${lost} of ${sent} lost, ${Math.round(tookMs / 1000)} s${reason && ` (${reason})`}`,
    );
    await stage.leave();
  } catch (error) {
    broken.push(name);
    print(`FAIL ${name}: ${errorText(error)}`);
    await stage.close();
  }
}
const last = await Stage.reopen("matrix", matrixLab);
await last.close();
print(`${[...ends].map(([end, count]) => `${count} ${end}`).join(", ")}; ${broken.length} broken`);
process.exitCode = broken.length === 0 ? 0 : 1;
