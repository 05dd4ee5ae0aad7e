/**
 * Two network namespaces joined by a veth pair: BIRD in one, our speaker in the other. Everything made
 * here is removed by `close`.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "../../src/lib/index.ts";
import type { ProgramCommand, ProgramReport } from "./bird-program.ts";

export const OUR_ADDRESS = "172.31.251.1";
export const BIRD_ADDRESS = "172.31.251.2";
export const OUR_ADDRESS6 = "fd00:31:251::1";
export const BIRD_ADDRESS6 = "fd00:31:251::2";

/** Polls until the function returns something else than undefined or false. @throws at the deadline */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false,
  options: { readonly deadlineMs?: number; readonly state?: () => string } = {},
): Promise<T> {
  const endMs = systemClock.monotonicMs() + (options.deadlineMs ?? 20_000);
  for (;;) {
    const found = probe();
    if (found !== undefined && found !== false) return found;
    if (systemClock.monotonicMs() > endMs) {
      throw new Error(`not in time: ${what}; ${options.state?.() ?? ""}`);
    }
    await new Promise<void>((resolve) => systemClock.schedule(20, resolve));
  }
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

export class BirdLab {
  readonly #tag: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "bgp-bird-"));
  readonly #children = new Set<ChildProcess>();
  #bird: ChildProcess | undefined;
  #ours: ChildProcess | undefined;
  #report: ProgramReport | undefined;

  constructor(tag: string) {
    this.#tag = `bgp${process.pid % 10000}${tag}`;
    const [ours, birds] = this.#namespaces();
    for (const name of [ours, birds]) {
      run("ip", "netns", "add", name);
      run("ip", "-n", name, "link", "set", "lo", "up");
    }
    const veth = ["link", "add", "eth0", "netns", ours, "type", "veth"];
    run("ip", ...veth, "peer", "name", "eth0", "netns", birds);
    run("ip", "-n", ours, "address", "add", `${OUR_ADDRESS}/24`, "dev", "eth0");
    run("ip", "-n", birds, "address", "add", `${BIRD_ADDRESS}/24`, "dev", "eth0");
    // Without duplicate address detection, which takes a second.
    run("ip", "-n", ours, "address", "add", `${OUR_ADDRESS6}/64`, "dev", "eth0", "nodad");
    run("ip", "-n", birds, "address", "add", `${BIRD_ADDRESS6}/64`, "dev", "eth0", "nodad");
    for (const name of [ours, birds]) run("ip", "-n", name, "link", "set", "eth0", "up");
  }

  #namespaces(): [ours: string, birds: string] {
    return [`${this.#tag}o`, `${this.#tag}b`];
  }

  /** What our speaker said last. */
  get report(): ProgramReport {
    if (this.#report === undefined) throw new Error("the speaker has said nothing yet");
    return this.#report;
  }

  /** The speaker has said something. */
  get hasReport(): boolean {
    return this.#report !== undefined;
  }

  /** The configuration is everything below `router id`. */
  async startBird(config: string, ...args: string[]): Promise<void> {
    const file = join(this.#directory, "bird.conf");
    writeFileSync(file, `router id ${BIRD_ADDRESS};\n${config}`);
    const socket = join(this.#directory, "bird.ctl");
    rmSync(socket, { force: true });
    const namespace = `--net=/run/netns/${this.#namespaces()[1]}`;
    this.#bird = this.#spawn([namespace, "bird", "-f", "-c", file, "-s", socket, ...args]);
    await until("bird's control socket", () => this.#tryBirdc("show status"));
  }

  birdc(command: string): string {
    return run("birdc", "-s", join(this.#directory, "bird.ctl"), ...command.split(" "));
  }

  #tryBirdc(command: string): string | undefined {
    try {
      return this.birdc(command);
    } catch {
      return undefined;
    }
  }

  /** Prefixes of BIRD's table learned by BGP, with `stale` where BIRD says so. */
  birdRoutes(): string[] {
    const routes: string[] = [];
    for (const line of this.birdc("show route protocol ours").split("\n")) {
      const found = /^([\da-f]\S*\/\d+)\s.*\[ours/.exec(line);
      if (found) routes.push(found[1]!);
    }
    return routes.sort();
  }

  birdRouteCount(): number {
    const found = /(\d+) of \d+ routes/.exec(this.birdc("show route protocol ours count"));
    return Number(found?.[1] ?? -1);
  }

  /** The `BGP state` and all detail BIRD prints of the session. */
  birdProtocol(): string {
    return this.birdc("show protocols all ours");
  }

  /** From now on our kernel hears nothing of the present connections, not even that they end. */
  cutConnections(): void {
    const ours = `--net=/run/netns/${this.#namespaces()[0]}`;
    const rules = [
      "add table ip cut",
      "add chain ip cut in { type filter hook input priority 0; }",
    ];
    for (const line of run("nsenter", ours, "ss", "-tnH", "state", "established").split("\n")) {
      const ports = /\S+:(\d+)\s+\S+:(\d+)\s*$/.exec(line);
      if (ports) rules.push(`add rule ip cut in tcp dport ${ports[1]} tcp sport ${ports[2]} drop`);
    }
    if (rules.length === 2) throw new Error("there is no connection to cut");
    run("nsenter", ours, "nft", rules.join("; "));
  }

  async stopBird(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#end(this.#bird, signal);
    this.#bird = undefined;
  }

  startSpeaker(): void {
    const program = join(import.meta.dirname, "bird-program.ts");
    const namespace = `--net=/run/netns/${this.#namespaces()[0]}`;
    const child = this.#spawn([namespace, process.execPath, program], "pipe");
    this.#ours = child;
    this.#report = undefined;
    createInterface({ input: child.stdout! }).on("line", (line) => {
      if (child === this.#ours) this.#report = JSON.parse(line) as ProgramReport;
    });
  }

  tell(command: ProgramCommand): void {
    this.#ours?.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** Waits for a report of our speaker that satisfies the condition. */
  async untilOurs(
    what: string,
    condition: (report: ProgramReport) => boolean,
    deadlineMs?: number,
  ): Promise<ProgramReport> {
    return until(what, () => this.#report && condition(this.#report) && this.#report, {
      state: () => `${JSON.stringify(this.#report)}\n${this.#tryBirdc("show protocols all")}`,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
  }

  async stopSpeaker(how: "SIGKILL" | "stop"): Promise<void> {
    if (how === "stop") this.tell({ stop: { notify: true } });
    await this.#end(this.#ours, how === "stop" ? undefined : how);
    this.#ours = undefined;
  }

  async close(): Promise<void> {
    for (const child of [...this.#children]) await this.#end(child, "SIGKILL");
    for (const name of this.#namespaces()) run("ip", "netns", "delete", name);
    rmSync(this.#directory, { recursive: true });
  }

  #spawn(args: readonly string[], output: "ignore" | "pipe" = "ignore"): ChildProcess {
    const child = spawn("nsenter", args, { stdio: ["pipe", output, "inherit"] });
    this.#children.add(child);
    child.on("exit", () => this.#children.delete(child));
    return child;
  }

  async #end(child: ChildProcess | undefined, signal: NodeJS.Signals | undefined): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    if (signal) child.kill(signal);
    await gone;
  }
}
