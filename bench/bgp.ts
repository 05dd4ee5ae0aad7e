/** Routes in and out of our speaker, beside BIRD 2, FRR and GoBGP in the same role with the same peers. */

import { loadavg } from "node:os";
import { allSteps, bgpCases } from "./bgp-cases.ts";
import { caseRows, outcomeWords } from "./bgp-rows.ts";
import { measureSubject, type Outcomes } from "./bgp-run.ts";
import { type SubjectName, subjectNames } from "./bgp-subjects.ts";
import type { BenchOptions } from "./options.ts";
import type { BenchRow } from "./row.ts";

const PATIENCE_SECONDS = 180;

export async function run(
  progress: (line: string) => void,
  options: BenchOptions,
): Promise<BenchRow[]> {
  const { scale, rounds = 1, patience = PATIENCE_SECONDS } = options;
  const cases = bgpCases(scale, chosen("step", allSteps, options.steps));
  const subjects = chosen("subject", subjectNames, options.subjects);
  const names = cases.map(({ name }) => name);
  const wanted = chosen("case", names, options.only);
  const rows: BenchRow[] = [];
  if (subjects.includes("switchyard")) {
    progress(
      "switchyard once, unmeasured: its compiled modules are kept, as where it has run before",
    );
    await measureSubject("switchyard", bgpCases(0.002, []).at(-1)!, patience);
  }
  for (const bgp of cases) {
    if (!wanted.includes(bgp.name)) continue;
    const measured = new Map<SubjectName, Outcomes[]>(subjects.map((name) => [name, []]));
    // By turns, so that what else the machine does falls on all of them.
    for (let round = 1; round <= rounds; round++) {
      for (const subject of subjects) {
        const which = rounds === 1 ? "" : `, round ${round}`;
        progress(`${bgp.name}: ${subject}${which}; load ${loadavg()[0]!.toFixed(1)}`);
        const outcomes = await measureSubject(subject, bgp, patience);
        measured.get(subject)!.push(outcomes);
        for (const [step, each] of outcomes) progress(`  ${step}: ${outcomeWords(step, each)}`);
      }
    }
    rows.push(...caseRows(bgp, measured));
  }
  return rows;
}

/** @throws RangeError for a name there is not */
function chosen<T extends string>(
  what: string,
  all: readonly T[],
  names: readonly string[] = all,
): readonly T[] {
  for (const name of names) {
    if (!all.some((each) => each === name)) {
      throw new RangeError(`there is no ${what} ${name}, only ${all.join(", ")}`);
    }
  }
  return all.filter((each) => names.includes(each));
}
