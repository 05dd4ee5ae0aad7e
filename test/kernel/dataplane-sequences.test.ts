/** Random lives of a node end in exactly the planned kernel state. `npm run soak` plays them for longer. */

import { test } from "node:test";
import { obstacleToKernelTests } from "./dataplane-support.ts";
import { Host } from "./sequences/host.ts";
import { playSequence } from "./sequences/sequence.ts";

const skip = obstacleToKernelTests() ?? false;
const count = Number(process.env.SEQUENCES ?? 40);
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));

test(`${count} random sequences end as planned (SEED=${first})`, {
  skip,
  timeout: 280_000 + count * 1000,
}, async () => {
  for (let index = 0; index < count; index++) {
    // A host of its own for each: what one leaves behind must not help the next.
    const host = new Host(`syseq${process.pid}`);
    try {
      await playSequence(host, first + index);
    } finally {
      host.close();
    }
  }
});
