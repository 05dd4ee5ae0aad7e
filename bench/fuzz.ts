/**
 * `npm run fuzz -- bgp`: explores what a peer may send, for minutes. Ends with the first input that something
 * does not stand, and how to play it again.
 */

import { parseArgs } from "node:util";
import { systemClock } from "../src/lib/index.ts";
import { Coverage } from "./fuzz/coverage.ts";
import { explore, type Target } from "./fuzz/explore.ts";
import { formatInput, type Input, parseInput } from "./fuzz/input.ts";
import { seededRandom } from "./fuzz/mutate.ts";
import { Watchdog } from "./fuzz/watchdog.ts";

const USAGE = `npm run fuzz -- bgp [--minutes 60] [--seed N] [--target NAME]
npm run fuzz -- bgp --target NAME --input TEXT    plays one input again`;
/** What has settled by then is not counted as growth. */
const WARM_UP_SHARE = 0.3;
const GROWTH_BYTES = 64 << 20;
const REPORT_EVERY_MS = 30_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    target: { type: "string" },
    input: { type: "string" },
  },
});
const minutes = Number(values.minutes);
if (positionals.join() !== "bgp" || !(minutes > 0)) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

// Before what is to be seen is loaded.
const coverage = new Coverage("/src/bgp/");
const { targets: all } = await import("./fuzz/bgp.ts");
const targets = all.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0) {
  process.stderr.write(`--target is one of ${all.map(({ name }) => name).join(", ")}\n`);
  process.exit(2);
}

if (values.input !== undefined) {
  for (const target of targets) await target.run(parseInput(values.input));
  process.stdout.write("nothing is wrong with it\n");
  process.exit(0);
}

const watchdog = new Watchdog();
const random = seededRandom(Number(values.seed));
process.stdout.write(`seed ${values.seed}, ${minutes} minutes\n`);
let failed = false;
/** What one target has kept leads the next one on: a message that is special is so in a session, too. */
const kept: Input[] = [];
for (const target of targets) failed ||= await one(target);
await watchdog.close();
process.exitCode = failed ? 1 : 0;

/** Its share of the time. True: something is wrong. */
async function one(target: Target): Promise<boolean> {
  const beginMs = systemClock.monotonicMs();
  const forMs = (minutes * 60_000) / targets.length;
  let reportedMs = beginMs;
  let settledBytes: number | undefined;
  const goOn = (executions: number) => {
    const nowMs = systemClock.monotonicMs();
    if (settledBytes === undefined && nowMs - beginMs > forMs * WARM_UP_SHARE) {
      settledBytes = heapBytes();
    }
    if (nowMs - reportedMs > REPORT_EVERY_MS) {
      reportedMs = nowMs;
      process.stdout.write(
        `${target.name}: ${executions} inputs, ${coverage.size} characters of code\n`,
      );
    }
    return nowMs - beginMs < forMs;
  };
  const onRun = (input: Input) => watchdog.begin(target.name, input);
  const { executions, corpus, finding } = await explore({
    target: { ...target, seeds: [...target.seeds, ...kept] },
    ...{ coverage, random, goOn, onRun },
  });
  kept.push(...corpus.slice(target.seeds.length + kept.length));
  const known = `${corpus.length} kept, ${coverage.size} characters of code reached`;
  process.stdout.write(`${target.name}: ${executions} inputs, ${known}\n`);
  if (finding) {
    const { error, input } = finding;
    process.stdout.write(`${error instanceof Error ? error.stack : error}\nplay it again with\n`);
    const text = formatInput(input);
    process.stdout.write(`  npm run fuzz -- bgp --target ${target.name} --input "${text}"\n`);
    return true;
  }
  const grownBytes = heapBytes() - (settledBytes ?? Number.POSITIVE_INFINITY);
  if (grownBytes <= GROWTH_BYTES) return false;
  const grown = `${(grownBytes / 2 ** 20).toFixed(0)} MiB more than when it had settled`;
  process.stdout.write(`${target.name}: the heap has ${grown}\n`);
  return true;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
