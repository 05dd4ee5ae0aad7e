/** The checked-in BPF objects are what bpf/build makes of their sources. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

const folder = import.meta.dirname;
const sources = readdirSync(folder).filter((name) => name.endsWith(".bpf.c"));
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** The lines `NAME VALUE` that bpf/build writes beside an object. */
function madeFrom(object: string): ReadonlyMap<string, string> {
  const lines = readFileSync(`${object}.made-from`, "utf8").trim().split("\n");
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
  );
}

it("there are sources to check", () => {
  assert.ok(sources.length > 0);
});

for (const source of sources) {
  const object = join(folder, source.replace(/\.c$/, ".o"));
  const made = madeFrom(object);

  describe(source, () => {
    it("has not changed since its object was built (else run bpf/build)", () => {
      assert.equal(made.get("source"), sha256(join(folder, source)));
    });

    it("has the object that was built (else run bpf/build)", () => {
      assert.equal(made.get("object"), sha256(object));
    });

    it("was built with the flags of bpf/build (else run it)", () => {
      const [, flags] = /^flags="(.*)"$/m.exec(readFileSync(join(folder, "build"), "utf8")) ?? [];
      assert.equal(made.get("flags"), flags);
    });

    it("gives the same object when built again", (t) => {
      const clang = spawnSync("clang", ["-dumpversion"], { encoding: "utf8" });
      const version = clang.stdout?.trim();
      if (clang.error || version !== made.get("compiler")) {
        // Another compiler makes other bytes of the same source; the hashes above still hold.
        return t.skip(`needs clang ${made.get("compiler")}, here is ${version || "none"}`);
      }
      const directory = mkdtempSync(join(tmpdir(), "switchyard-bpf-"));
      try {
        execFileSync(join(folder, "build"), ["--to", directory], { stdio: "pipe" });
        const again = join(directory, source.replace(/\.c$/, ".o"));
        assert.ok(readFileSync(again).equals(readFileSync(object)), "the objects differ");
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  });
}
