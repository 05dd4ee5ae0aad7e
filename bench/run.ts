/** `npm run bench`: lists the benchmarks; `npm run bench -- NAME [--json FILE]` runs one, some with options. */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Column, renderTable } from "../src/lab/demo/index.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import type { BenchRow } from "./row.ts";

interface Bench {
  readonly about: string;
  /** Options that it knows. */
  readonly takes?: readonly (keyof BenchOptions)[];
  readonly load: () => Promise<{
    run(progress: (line: string) => void, options: BenchOptions): Promise<BenchRow[]>;
  }>;
}

const benches: Readonly<Record<string, Bench>> = {
  bgp: {
    about:
      "routes in and out of the BGP speaker beside BIRD 2, FRR and GoBGP; --only table,mesh; --steps announce,churn; --subjects switchyard,bird; --scale 0.1; --rounds 3: median and range; --patience SECONDS for a step",
    takes: ["only", "steps", "subjects", "scale", "rounds", "patience"],
    load: () => import("./bgp.ts"),
  },
  "mode-change": {
    about:
      "five mode changes under 5,000 probes/s beside the naive ways; round trips in every mode; --nodes 4,16,32: whole changes, proof to commit; --pairs: every pair of modes",
    takes: ["nodes", "pairs"],
    load: () => import("./mode-change.ts"),
  },
  "mode-change-simulated": {
    about:
      "a mode change of 1,000 simulated nodes: what it costs the datastore, the driver and time",
    load: () => import("./mode-change-simulated.ts"),
  },
  routes: {
    about:
      "100,000 routes through the dataplane driver beside ip -batch and BIRD 2; event to kernel",
    load: () => import("./routes.ts"),
  },
};

const ranges: readonly Column<BenchRow>[] = [
  { title: "range", cell: ({ range }) => range?.join(" to ") ?? "" },
  { title: "peer range", cell: ({ peerRange }) => peerRange?.join(" to ") ?? "" },
];
const columns: readonly Column<BenchRow>[] = [
  { title: "case", cell: (row) => row.case },
  { title: "metric", cell: (row) => row.metric },
  { title: "value", cell: (row) => row.value },
  { title: "unit", cell: (row) => row.unit },
  { title: "peer", cell: (row) => row.peer },
  { title: "peer value", cell: (row) => row.peerValue },
  { title: "ratio", cell: (row) => row.ratio },
  { title: "budget", cell: (row) => row.budget },
  { title: "pass", cell: (row) => (row.pass ? "yes" : "NO") },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    nodes: { type: "string" },
    pairs: { type: "boolean" },
    only: { type: "string" },
    subjects: { type: "string" },
    steps: { type: "string" },
    rounds: { type: "string" },
    patience: { type: "string" },
    scale: { type: "string" },
  },
});
const name = positionals[0];
const bench = name === undefined ? undefined : benches[name];
if (!bench) {
  if (name !== undefined) process.stderr.write(`there is no benchmark ${name}\n`);
  for (const [known, { about }] of Object.entries(benches))
    process.stdout.write(`${known}  ${about}\n`);
  process.exitCode = name === undefined ? 0 : 1;
} else {
  const options = readOptions(values, bench.takes ?? []);
  const { run } = await bench.load();
  const rows = await run((line) => process.stderr.write(`${line}\n`), options);
  const spread = rows.some(({ range, peerRange }) => range ?? peerRange);
  process.stdout.write(`${renderTable(spread ? [...columns, ...ranges] : columns, rows)}\n`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  process.exitCode = rows.every((row) => row.pass) ? 0 : 1;
}
