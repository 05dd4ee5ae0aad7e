/** Two BGP peers of one link-local address, on two links: each session is that of its device, BFD too. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";

interface Learned {
  readonly routes: readonly string[];
  readonly bfd: readonly string[];
  readonly errors: readonly string[];
}

async function play(who: string): Promise<readonly Learned[]> {
  const program = join(import.meta.dirname, "bgp-link-local-program.ts");
  const args = ["--net", process.execPath, program, who];
  const { stdout } = await promisify(execFile)("unshare", args);
  return JSON.parse(stdout) as Learned[];
}

describe("BGP peers of one link-local address on two links", () => {
  for (const who of ["we dial", "they dial"]) {
    it(who, async () => {
      const learned = await play(who);
      const words = JSON.stringify(learned);
      assert.deepEqual(
        learned.map(({ routes }) => routes),
        [
          ["fd00:2::/64 from v0", "fd00:3::/64 from w0"],
          ["fd00:1::/64 from v1", "fd00:3::/64 from v1"],
          ["fd00:1::/64 from w1", "fd00:2::/64 from w1"],
        ],
        words,
      );
      assert.deepEqual(
        learned.map(({ bfd }) => bfd),
        [["Up", "Up"], ["Up"], ["Up"]],
        words,
      );
    });
  }
});
