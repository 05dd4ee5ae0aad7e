/**
 * `npm run soak`: plays random lives of a node, for minutes or a number of sequences, and watches that
 * neither memory nor descriptors grow. Every sequence must end in exactly the planned kernel state.
 */

import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { systemClock } from "../src/lib/index.ts";
import { Host } from "../test/kernel/sequences/host.ts";
import { playSequence } from "../test/kernel/sequences/sequence.ts";

interface Sample {
  readonly sequences: number;
  readonly heapBytes: number;
  readonly descriptors: number;
}

/** Sequences until caches and compiled code have settled; what is used then is the measure. */
const WARM_UP = 30;
/** More heap than this beyond the first sample is growth, not noise. */
const HEAP_ALLOWANCE_BYTES = 8 << 20;
const SAMPLE_EVERY = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    sequences: { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
  },
});
const minutes = Number(
  values.minutes ?? (values.sequences === undefined ? 10 : Number.POSITIVE_INFINITY),
);
const sequences = Number(values.sequences ?? Number.POSITIVE_INFINITY);
const firstSeed = Number(values.seed);
process.stdout.write(
  `seed ${firstSeed}, ${values.sequences ?? "any number of"} sequences, at most ${minutes} minutes\n`,
);

const untilMs = systemClock.monotonicMs() + minutes * 60_000;
const samples: Sample[] = [];
let played = 0;
for (; played < sequences && systemClock.monotonicMs() < untilMs; played++) {
  const host = new Host(`sysoak${process.pid}`);
  try {
    await playSequence(host, firstSeed + played);
  } finally {
    host.close();
  }
  if (played >= WARM_UP && played % SAMPLE_EVERY === 0) {
    samples.push(sample(played));
    process.stdout.write(`${describe(samples.at(-1))}\n`);
  }
}

const [first] = samples;
const last = samples.at(-1);
const grownBytes = (last?.heapBytes ?? 0) - (first?.heapBytes ?? 0);
const grownDescriptors = (last?.descriptors ?? 0) - (first?.descriptors ?? 0);
const grew = grownBytes > HEAP_ALLOWANCE_BYTES || grownDescriptors > 0;
process.stdout.write(
  `${played} sequences ended as planned; heap grew by ${(grownBytes / 1024).toFixed(0)} KiB, descriptors by ${grownDescriptors}: ${grew ? "GROWTH" : "no growth"}\n`,
);
process.exitCode = grew ? 1 : 0;

function sample(count: number): Sample {
  globalThis.gc?.();
  return {
    sequences: count,
    heapBytes: process.memoryUsage().heapUsed,
    descriptors: readdirSync("/proc/self/fd").length,
  };
}

function describe(item: Sample | undefined): string {
  if (!item) return "";
  return `${item.sequences} sequences, heap ${(item.heapBytes / 1024 / 1024).toFixed(1)} MiB, ${item.descriptors} descriptors`;
}
