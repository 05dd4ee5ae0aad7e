/** Traffic between endpoints, made in a thread of its own and read in windows. */

import { Worker } from "node:worker_threads";
import { type Clock, errorText, SwitchyardError, sleep, systemClock } from "../../lib/index.ts";
import type { Answer, Command, TrafficOptions, WindowReport } from "./types.ts";

/** A probe that has not come by then will not come. */
const STRAGGLER_MS = 400;

export class Traffic {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  #window = 0;

  private constructor(worker: Worker, clock: Clock) {
    this.#worker = worker;
    this.#clock = clock;
    worker.on("message", (answer: Answer) => this.#waiting.shift()?.(answer));
    worker.on("error", (error: unknown) => {
      for (const resolve of this.#waiting.splice(0))
        resolve({ kind: "failed", message: errorText(error) });
    });
  }

  /** Resolves when probes flow. @throws LAB_FAILED if a socket cannot be opened. */
  static async start(options: TrafficOptions, clock: Clock = systemClock): Promise<Traffic> {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: options });
    const traffic = new Traffic(worker, clock);
    await traffic.#answer("ready");
    return traffic;
  }

  /** Ends the current window and begins a new one. */
  async beginWindow(): Promise<void> {
    this.#worker.postMessage({ kind: "advance" } satisfies Command);
    const { window } = await this.#answer("advanced");
    this.#window = window;
  }

  /** Ends the window, waits for stragglers and reports it. Traffic goes on in a new window. */
  async endWindow(): Promise<WindowReport> {
    const window = this.#window;
    this.#worker.postMessage({ kind: "report", window } satisfies Command);
    const { report: atEnd } = await this.#answer("report");
    await this.beginWindow();
    await sleep(this.#clock, STRAGGLER_MS);
    this.#worker.postMessage({ kind: "report", window } satisfies Command);
    const { report } = await this.#answer("report");
    return { ...report, ...(atEnd.stream && { stream: atEnd.stream }) };
  }

  /** Holds everything open and sends nothing, so that a measurement has the machine to itself. */
  async pause(paused: boolean): Promise<void> {
    this.#worker.postMessage({ kind: "pause", paused } satisfies Command);
    await this.#answer("paused");
  }

  async stop(): Promise<void> {
    this.#worker.postMessage({ kind: "stop" } satisfies Command);
    await this.#answer("stopped");
    await this.#worker.terminate();
  }

  #answer<K extends Answer["kind"]>(kind: K): Promise<Extract<Answer, { kind: K }>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((answer) => {
        if (answer.kind === kind) resolve(answer as Extract<Answer, { kind: K }>);
        else {
          const text =
            answer.kind === "failed" ? answer.message : `unexpected answer ${answer.kind}`;
          reject(new SwitchyardError("LAB_FAILED", `making traffic failed: ${text}`));
        }
      });
    });
  }
}
