/** The example of docs/reference/bgpd.md as it stands there, in processes; then signals and bad files. */

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { sleep, systemClock } from "../lib/index.ts";

const switchyard = fileURLToPath(new URL("../../bin/switchyard", import.meta.url));
const page = readFileSync(new URL("../../docs/reference/bgpd.md", import.meta.url), "utf8");
const directory = mkdtempSync(join(tmpdir(), "switchyard-bgpd-"));
const left = join(directory, "left.sock");
const right = join(directory, "right.sock");
const daemons: ChildProcess[] = [];

function example(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(page) ?? [];
  assert.ok(text, `no ${language} in the page`);
  return text;
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(switchyard, args, { cwd: directory }, (error, stdout, stderr) => {
      resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

async function start(file: string, socket: string): Promise<ChildProcess> {
  const daemon = spawn(switchyard, ["bgpd", "-c", file, "--socket", socket], { cwd: directory });
  daemons.push(daemon);
  daemon.stderr?.resume();
  return daemon;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = systemClock.monotonicMs() + 60_000;
  while (!(await holds())) {
    assert.ok(systemClock.monotonicMs() < endMs, `never: ${what}`);
    await sleep(systemClock, 200);
  }
}

const peers = async (socket: string) => {
  const { stdout } = await run("bgp", "peers", "--socket", socket, "-o", "json");
  return stdout === "" ? [] : JSON.parse(stdout).peers;
};

function status(socket: string): Promise<{ reloadError: string; loadedAt: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: socket, path: "/status", agent: false }, (response) => {
      response
        .toArray()
        .then((parts) => resolve(JSON.parse(Buffer.concat(parts).toString())), reject);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe("the example of the page on bgpd", () => {
  before(async () => {
    writeFileSync(join(directory, "left.yaml"), example("yaml"));
    writeFileSync(join(directory, "right.yaml"), example("json"));
    await start("right.yaml", right);
    await start("left.yaml", left);
    await until("established", async () => {
      const [peer] = existsSync(left) ? await peers(left) : [];
      return peer?.state === "Established" && peer.routes.received === 1 && peer.routes.sent === 1;
    });
  });
  after(async () => {
    for (const daemon of daemons) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      daemon.kill("SIGKILL");
      await once(daemon, "exit");
    }
    rmSync(directory, { recursive: true });
  });

  it("is checked by --check, which tells mistakes too", async () => {
    const good = await run("bgpd", "-c", "left.yaml", "--check");
    assert.deepEqual(good, {
      ...{ status: 0, stderr: "" },
      stdout: "left.yaml: AS 65001, peers: 1, originated routes: 2\n",
    });
    writeFileSync(join(directory, "bad.yaml"), "localAs: 1\n");
    const bad = await run("bgpd", "-c", "bad.yaml", "--check");
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /^bad\.yaml: line 1: routerId: .*\nbad\.yaml: line 1: peers: /);
  });

  it("tells its peer what policy lets pass, with the community", async () => {
    const { stdout } = await run("bgp", "routes", "--socket", right, "-o", "wide");
    assert.match(stdout, /^198\.51\.100\.0\/24 +127\.0\.0\.11 +left +65001 .* 65001:100$/m);
    assert.doesNotMatch(stdout, /10\.0\.0\.0\/8/);
    const why = await run("bgp", "why", "198.51.100.0/24", "--socket", right);
    assert.match(why.stdout, /^best +left +127\.0\.0\.11 +65001 +100 +the best$/m);
  });

  it("takes a changed file on SIGHUP, and keeps the old one when it is bad", async () => {
    const [, daemon] = daemons;
    const text = readFileSync(join(directory, "left.yaml"), "utf8");
    writeFileSync(join(directory, "left.yaml"), `${text}  - prefix: 198.51.100.128/25\n`);
    daemon!.kill("SIGHUP");
    await until("two routes", async () => (await peers(left))[0]?.routes.sent === 2);
    writeFileSync(join(directory, "left.yaml"), "localAs: red\n");
    daemon!.kill("SIGHUP");
    await until("refused", async () => (await status(left)).reloadError !== "");
    assert.match(
      (await status(left)).reloadError,
      /^left\.yaml: line 1: localAs: "red" is no number$/m,
    );
    const shown = await run("bgp", "peers", "--socket", left);
    assert.match(shown.stdout, /^The file was changed and not taken:\nleft\.yaml: line 1: /m);
    const [peer] = await peers(left);
    assert.deepEqual(
      [peer.state, peer.routes.sent, peer.sessionsEstablished],
      ["Established", 2, 1],
    );
    writeFileSync(join(directory, "left.yaml"), text);
    daemon!.kill("SIGHUP");
    await until("taken", async () => (await status(left)).reloadError === "");
  });

  it("is refused a socket at which another one answers", async () => {
    const second = await run("bgpd", "-c", "left.yaml", "--socket", left);
    assert.equal(second.status, 1);
    assert.match(second.stderr, /left\.sock: another bgpd answers there/);
    assert.equal((await peers(left))[0]?.state, "Established");
  });

  it("restarts with its routes kept on SIGTERM, and says goodbye on SIGQUIT", async () => {
    daemons[1]!.kill("SIGTERM");
    assert.deepEqual(await once(daemons[1]!, "exit"), [0, null]);
    assert.ok(!existsSync(left));
    await until("kept", async () => (await peers(right))[0]?.keptForRestart === true);
    assert.equal((await peers(right))[0]?.routes.received, 1);
    await start("left.yaml", left);
    await until("back", async () => (await peers(right))[0]?.state === "Established");
    daemons[2]!.kill("SIGQUIT");
    assert.deepEqual(await once(daemons[2]!, "exit"), [0, null]);
    await until("gone", async () => (await peers(right))[0]?.routes.received === 0);
    const [end] = (await peers(right))[0].history.filter(
      ({ from }: { from: string }) => from === "Established",
    );
    assert.match(end.reason, /Administrative Shutdown: "bgpd is shut down"/);
  });
});
