/** A speaker of ours in a process of its own, and what it says. */

import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Child, type Place, until } from "./place.ts";
import type { SpeakerCommand, SpeakerReport, SpeakerText } from "./speaker-program.ts";

/** `undefined`: its last words, cut off when it was killed. */
function parse(line: string): SpeakerReport | undefined {
  try {
    return JSON.parse(line) as SpeakerReport;
  } catch {
    return undefined;
  }
}

export class OurSpeaker {
  readonly #child: Child;
  #report: SpeakerReport | undefined;
  readonly #errors: string[] = [];

  constructor(place: Place, config: SpeakerText) {
    const program = join(import.meta.dirname, "speaker-program.ts");
    const quiet = "--disable-warning=ExperimentalWarning";
    this.#child = place.spawn([process.execPath, quiet, program], { output: "pipe" });
    createInterface({ input: this.#child.process.stdout! }).on("line", (line) => {
      const report = parse(line);
      if (report === undefined) return;
      this.#report = report;
      for (const { lastError } of report.peers) {
        if (lastError !== "" && lastError !== this.#errors.at(-1)) this.#errors.push(lastError);
      }
    });
    this.configure(config);
  }

  /** What it said last. @throws Error when it has said nothing yet */
  get report(): SpeakerReport {
    if (this.#report === undefined) throw new Error("the speaker has said nothing yet");
    return this.#report;
  }

  /** Everything that ended a session or an attempt, in order. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  get ended(): boolean {
    const { exitCode, signalCode } = this.#child.process;
    return exitCode !== null || signalCode !== null;
  }

  configure(config: SpeakerText): void {
    this.#tell({ config });
  }

  /** Asks the peer for its routes again. */
  refresh(peer: string): void {
    this.#tell({ refresh: peer });
  }

  /** Waits for a report that satisfies the condition. */
  async until(
    what: string,
    condition: (report: SpeakerReport) => boolean,
    options: Parameters<typeof until>[2] = {},
  ): Promise<SpeakerReport> {
    return until(what, () => this.#report && condition(this.#report) && this.#report, {
      ...options,
      state: async () =>
        `ours: ${JSON.stringify(this.#report)}\n${this.#errors.join("\n")}\n${await options.state?.()}`,
    });
  }

  /** Ends its sessions with Cease / Administrative Shutdown, then the process. */
  async shutDown(message?: string): Promise<void> {
    this.#tell({ stop: { notify: true, ...(message === undefined ? {} : { message }) } });
    await this.#child.end();
  }

  async kill(): Promise<void> {
    await this.#child.end("SIGKILL");
  }

  #tell(command: SpeakerCommand): void {
    this.#child.process.stdin!.write(`${JSON.stringify(command)}\n`);
  }
}
