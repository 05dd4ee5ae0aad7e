/**
 * Where a subject of the BGP benchmark and its peers run: two network namespaces joined by a link, and a
 * directory. They go however the benchmark ends; after SIGKILL, when it runs again.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { nameOfRun, removeNamespace, sweepLeftovers } from "../test/leftovers.ts";
import type { BgpCase } from "./bgp-cases.ts";
import { addressOf, feederOf, QUIET, RECEIVER, SUBJECT } from "./bgp-peers.ts";

const PREFIX = "bench-bgp-";
/** A program that is asked to end may write down what makes its next start faster. */
const FAREWELL_MS = 2000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export type End = "subject" | "peers";

export class BgpPlace {
  readonly directory: string;
  readonly #name = nameOfRun(PREFIX);
  readonly #children: ChildProcess[] = [];

  constructor(bgp: BgpCase) {
    sweepLeftovers(PREFIX);
    this.directory = mkdtempSync(join(tmpdir(), this.#name));
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.on("exit", this.#takeDown);
    try {
      this.#makeNamespaces(bgp);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** What it prints as errors is shown; the traffic is told, and tells, by messages. */
  start(end: End, command: readonly string[]): ChildProcess {
    const child = spawn("nsenter", [`--net=/run/netns/${this.#name}${end}`, ...command], {
      stdio: ["ignore", "ignore", "inherit", end === "peers" ? "ipc" : "ignore"],
    });
    this.#children.push(child);
    return child;
  }

  async close(): Promise<void> {
    for (const child of this.#children.reverse()) await end(child);
    this.#forget();
  }

  #makeNamespaces(bgp: BgpCase): void {
    const [subject, peers] = [`${this.#name}subject`, `${this.#name}peers`];
    for (const name of [subject, peers]) {
      ip("netns", "add", name);
      ip("-n", name, "link", "set", "lo", "up");
    }
    const veth = ["link", "add", "eth0", "netns", subject, "type", "veth"];
    ip(...veth, "peer", "name", "eth0", "netns", peers);
    const feeders = Array.from({ length: bgp.feeders }, (_, i) => feederOf(bgp, i));
    const inhabitants = [
      [subject, [SUBJECT]],
      [peers, [RECEIVER, QUIET, ...feeders]],
    ] as const;
    for (const [name, known] of inhabitants) {
      const batch = join(this.directory, `addresses-${name}`);
      const lines = known.flatMap((peer) => [
        `address add ${addressOf(peer, "ipv4-unicast")}/16 dev eth0\n`,
        // Without duplicate address detection, which takes a second.
        `address add ${addressOf(peer, "ipv6-unicast")}/64 dev eth0 nodad\n`,
      ]);
      writeFileSync(batch, lines.join(""));
      ip("-n", name, "-batch", batch);
      ip("-n", name, "link", "set", "eth0", "up");
    }
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    process.stderr.write(`stopped by ${signal}\n`);
    // What is to be taken down then is taken down on "exit".
    process.exit(128 + constants.signals[signal]);
  };

  /** At once: nothing is waited for when a process exits. */
  readonly #takeDown = (): void => {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const end of ["subject", "peers"]) removeNamespace(this.#name + end);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  };

  #forget(): void {
    this.#takeDown();
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    process.off("exit", this.#takeDown);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), FAREWELL_MS);
  child.kill("SIGTERM");
  await gone;
  clearTimeout(timer);
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}
