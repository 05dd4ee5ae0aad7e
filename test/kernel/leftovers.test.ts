/** What a killed run left behind is taken away by the next, and nothing else. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { sleep, systemClock } from "../../src/lib/index.ts";
import { nameOfRun, removeNamespace, sweepLeftovers } from "../leftovers.ts";

const prefix = "leftovers-";

/** A process that makes a namespace and a directory, starts something inside, and says its name and the pid. */
const program = `
  const { execFileSync, spawn } = require("node:child_process");
  const { mkdtempSync } = require("node:fs");
  const { nameOfRun } = require(${JSON.stringify(join(import.meta.dirname, "../leftovers.ts"))});
  const name = nameOfRun("${prefix}");
  execFileSync("ip", ["netns", "add", name + "a"]);
  mkdtempSync(${JSON.stringify(tmpdir())} + "/" + name);
  const inside = spawn("nsenter", ["--net=/run/netns/" + name + "a", "sleep", "600"]);
  inside.on("spawn", () => console.log(name + " " + inside.pid));
  setInterval(() => undefined, 1000);
`;

it("sweeps what a killed process left, and leaves what a living one has", async () => {
  const run = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(run.stdout, "data")) as [Buffer];
  const [name, pid] = line.toString().trim().split(" ") as [string, string];
  const own = nameOfRun(prefix);
  const directory = mkdtempSync(join(tmpdir(), own));
  execFileSync("ip", ["netns", "add", `${own}a`]);
  const left = () => ({
    namespace: existsSync(`/run/netns/${name}a`),
    directory: readdirSync(tmpdir()).some((each) => each.startsWith(name)),
    process: existsSync(`/proc/${pid}`),
  });
  try {
    sweepLeftovers(prefix);
    assert.deepEqual(left(), { namespace: true, directory: true, process: true });
    run.kill("SIGKILL");
    await once(run, "exit");
    assert.deepEqual(left(), { namespace: true, directory: true, process: true });
    sweepLeftovers(prefix);
    assert.deepEqual([left().namespace, left().directory], [false, false]);
    // What is killed ends a moment later, and whoever takes over orphans may bury them later still.
    while (isRunning(pid)) await sleep(systemClock, 10);
    assert.ok(existsSync(directory));
    assert.ok(existsSync(`/run/netns/${own}a`));
  } finally {
    run.kill("SIGKILL");
    removeNamespace(`${own}a`);
    rmSync(directory, { recursive: true, force: true });
    sweepLeftovers(prefix);
  }
});

function isRunning(pid: string): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}
