/** Whatever stops the BGP benchmark, its namespaces, directory and daemons go with it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { sleep, systemClock } from "../../src/lib/index.ts";

const bench = join(import.meta.dirname, "../../bench");

/** Makes a place with a daemon in it, says where and which, and waits to be stopped. */
const program = `
  const { BgpPlace } = require(${JSON.stringify(join(bench, "bgp-place.ts"))});
  const { bgpCases } = require(${JSON.stringify(join(bench, "bgp-cases.ts"))});
  const place = new BgpPlace(bgpCases(0.004).find(({ name }) => name === "mesh"));
  const daemon = place.start("subject", ["sleep", "600"]);
  daemon.on("spawn", () => console.log(place.directory + " " + daemon.pid));
  setInterval(() => undefined, 1000);
`;

describe("the BGP benchmark, stopped", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`by ${signal} leaves nothing behind`, async () => {
      const run = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "ignore"] });
      const [line] = (await once(run.stdout, "data")) as [Buffer];
      const [directory, pid] = line.toString().trim().split(" ") as [string, string];
      const left = () => ({
        namespaces: readdirSync("/run/netns").filter((name) => name.includes(`${run.pid}t`)).length,
        directories: readdirSync(tmpdir()).filter((name) => directory.endsWith(name)).length,
        daemon: existsSync(`/proc/${pid}`),
      });
      assert.deepEqual(left(), { namespaces: 2, directories: 1, daemon: true });
      const ended = once(run, "exit");
      run.kill(signal);
      assert.deepEqual(await ended, [128 + constants.signals[signal], null]);
      const { namespaces, directories } = left();
      assert.deepEqual([namespaces, directories, await endsSoon(pid)], [0, 0, true]);
    });
  }
});

/** Killed it is; whoever takes over orphans may be slow to bury them. */
async function endsSoon(pid: string): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (!isRunning(pid)) return true;
    await sleep(systemClock, 20);
  }
  return false;
}

function isRunning(pid: string): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}
