/**
 * Runs a User-Mode-Linux guest (Debian package user-mode-linux) as a peer with kernel modules that
 * the host lacks. Its root is the host's file system, read-only; it shares one job directory. It is
 * an oracle for what goes over the wire, never for timings.
 */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, systemClock } from "../../../src/lib/index.ts";

const binary = "/usr/bin/linux.uml";
const modulesDirectory = "/usr/lib/uml/modules";
/** How long a guest may take to die after SIGTERM. */
const KILL_AFTER_MS = 2000;

/** Why no guest can run here, if so. */
export const umlMissing = existsSync(binary)
  ? undefined
  : `${binary} is absent (Debian package user-mode-linux)`;

export interface UmlOptions {
  /** Network namespace (path) in which the guest's taps are. */
  readonly namespace: string;
  /** Tap device that becomes the guest's vec0. */
  readonly tap: string;
  /** Modules to load, in order, as paths below `kernel/` (`net/ipv4/ipip`). */
  readonly modules: readonly string[];
  /** Run by `sh -e` when the guest is up; the guest halts when it ends. */
  readonly script: string;
  /** Guest memory; 256 MiB unless told. */
  readonly memoryMiB?: number;
}

export interface UmlGuest {
  /** What the script has written so far, both streams. */
  output(): string;
  /** Exit status of the script; undefined if the guest died before it ended. */
  readonly exited: Promise<number | undefined>;
  /** Ends the guest if it still runs, and removes its files. */
  stop(): Promise<void>;
}

export function startUml(options: UmlOptions): UmlGuest {
  const job = mkdtempSync(join(tmpdir(), "switchyard-uml-"));
  writeFileSync(join(job, "init"), initScript(job, options), { mode: 0o755 });
  writeFileSync(join(job, "script"), options.script);
  const child = spawn(
    "nsenter",
    [
      `--net=${options.namespace}`,
      binary,
      `mem=${options.memoryMiB ?? 256}M`,
      "root=/dev/root",
      "rootfstype=hostfs",
      "ro",
      `init=${join(job, "init")}`,
      `vec0:transport=tap,ifname=${options.tap},depth=128,gro=1`,
      "con=null",
      "con0=null,fd:1",
      "con1=null",
      `uml_dir=${job}/`,
      "umid=guest",
      "quiet",
    ],
    // The guest's memory is a file in TMPDIR. Its own process group, so that its helpers die with it.
    {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: "/dev/shm" },
    },
  );
  let console = "";
  child.stdout.on("data", (chunk) => {
    console += chunk;
  });
  child.stderr.on("data", (chunk) => {
    console += chunk;
  });
  const read = (name: string) => {
    const path = join(job, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const exited = new Promise<number | undefined>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => {
      const status = read("status").trim();
      resolve(status === "" ? undefined : Number(status));
    });
  });
  return {
    output: () => `${read("output")}${console}`,
    exited,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        signalGroup(child.pid!, "SIGTERM");
        await Promise.race([exited, sleep(systemClock, KILL_AFTER_MS)]);
      }
      signalGroup(child.pid!, "SIGKILL");
      await exited;
      rmSync(job, { recursive: true, force: true });
    },
  };
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * Process 1 of the guest. It stops at the first mount that fails: without its own /dev it would act on
 * the host's. The modules go in by finit_module(2) from perl, which every Debian has; kmod may be absent.
 */
function initScript(job: string, options: UmlOptions): string {
  const [release] = readdirSync(modulesDirectory);
  const modules = options.modules.map((name) => `${modulesDirectory}/${release}/kernel/${name}.ko`);
  const load =
    'for (@ARGV) { open my $f, "<", $_ or die "$_: $!\\n"; my $none = "";' +
    ' syscall(313, fileno($f), $none, 0) == 0 or die "load $_: $!\\n" }';
  return `#!/bin/sh
finish() {
	echo $? >/run/job/status
	sync
	echo 1 >/proc/sys/kernel/sysrq
	echo o >/proc/sysrq-trigger
	sleep 5
}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
set -e
mount -t proc proc /proc
mount -t sysfs sys /sys
grep -q "^[^ ]* /dev devtmpfs " /proc/mounts || mount -t devtmpfs dev /dev
mount -t tmpfs -o mode=755 run /run
mkdir /run/job
mount -t hostfs -o ${job} job /run/job
trap finish EXIT
exec >/run/job/output 2>&1 </dev/null
perl -e '${load}' ${modules.join(" ")}
ip link set lo up
sh -e /run/job/script
`;
}
