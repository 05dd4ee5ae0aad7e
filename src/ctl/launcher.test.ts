/** bin/switchyard as a shell runs it. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../../bin/switchyard", import.meta.url));
const pinnedBin = dirname(process.execPath);

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-launcher-"));
});
after(() => rmSync(directory, { recursive: true, force: true }));

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { PATH: "/usr/bin:/bin", ...env } };
    execFile(file, args, options, (error, stdout, stderr) => {
      resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** A checkout with nothing installed, and a `node` of that version on its PATH. */
function bareCheckout(nodeVersion: string): { file: string; path: string } {
  const root = mkdtempSync(join(directory, "checkout-"));
  mkdirSync(join(root, "bin"));
  mkdirSync(join(root, "path"));
  const file = join(root, "bin/switchyard");
  copyFileSync(launcher, file);
  const node = join(root, "path/node");
  writeFileSync(node, `#!/bin/sh\n[ "$1" = --version ] && echo ${nodeVersion} || echo "run: $*"\n`);
  chmodSync(node, 0o755);
  return { file, path: `${join(root, "path")}:/usr/bin:/bin` };
}

describe("launcher", () => {
  test("runs through symlinks, absolute and relative, from any directory", async () => {
    const absolute = join(directory, "sy");
    symlinkSync(launcher, absolute);
    const relative = join(directory, "sy2");
    symlinkSync("sy", relative);
    for (const file of [launcher, absolute, relative]) {
      const { status, stdout, stderr } = await run(file, ["version", "--client"]);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, file);
      assert.match(stdout, /^Client Version: {4}v\d+\.\d+\.\d+\nGit commit: {8}\S+\n$/);
    }
  });

  test("is found by name on PATH", async () => {
    const path = `${dirname(launcher)}:/usr/bin:/bin`;
    const { status } = await run("/bin/sh", ["-c", "switchyard version --client"], { PATH: path });
    assert.equal(status, 0);
  });

  for (const version of ["v20.20.2", "v9.0.0", "nonsense"]) {
    test(`with nothing installed and a node of ${version}, says what to do`, async () => {
      const { file, path } = bareCheckout(version);
      const { status, stdout, stderr } = await run(file, ["get"], { PATH: path });
      assert.deepEqual({ status, stdout }, { status: 127, stdout: "" });
      assert.match(stderr, /needs Node\.js 26 or newer.*\n {4}cd \/.* && npm ci\n$/);
    });
  }

  test("takes a new node on PATH when the packages are there", async () => {
    const { file, path } = bareCheckout("v26.0.0");
    const root = dirname(dirname(file));
    mkdirSync(join(root, "node_modules/commander"), { recursive: true });
    const { status, stdout } = await run(file, ["get", "a b"], { PATH: path });
    assert.equal(status, 0);
    const [, ...words] = stdout.trimEnd().split(" ");
    assert.deepEqual(
      words.filter((word) => !word.startsWith("--")),
      [`${root}/src/ctl/main.ts`, "get", "a", "b"],
    );
  });

  test("errors go to standard error with status 1", async () => {
    const env = { SWITCHYARD_SOCKET: join(directory, "none.sock") };
    const { status, stdout, stderr } = await run(launcher, ["get", "ippool"], env);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
    assert.match(stderr, /^cannot reach the Switchyard server at /);
  });

  test("serves, reads standard input, and stops on SIGTERM", async () => {
    const socket = join(directory, "api.sock");
    const server = spawn(launcher, ["server", "--socket", socket, "--database", ":memory:"], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: `${pinnedBin}:/usr/bin:/bin` },
    });
    const ended = new Promise<number | null>((resolve) => server.once("exit", resolve));
    await new Promise<void>((resolve, reject) => {
      server.once("exit", () => reject(new Error("the server ended")));
      server.stderr.on("data", (chunk) => {
        if (String(chunk).includes("server started")) resolve();
      });
    });
    const script = `printf '%s' "$POOL" | ${launcher} apply -f - && ${launcher} get ippool`;
    const pool = JSON.stringify({
      apiVersion: "projectcalico.org/v3",
      kind: "IPPool",
      metadata: { name: "p" },
      spec: { cidr: "10.0.0.0/16" },
    });
    const env = { SWITCHYARD_SOCKET: socket, POOL: pool };
    const { stdout, stderr } = await run("/bin/sh", ["-c", script], env);
    server.kill("SIGTERM");
    assert.equal(stderr, "");
    assert.equal(
      stdout,
      "Successfully applied 1 'IPPool' resource(s)\n" +
        "NAME   CIDR          SELECTOR   \np      10.0.0.0/16   all()      \n\n",
    );
    assert.equal(await ended, 0);
  });
});
