/**
 * The peers of a subject, all in this process, inside the network namespace it was started in. Its
 * argument is the case; a message from its parent begins the next step, and its answer is what came of it.
 */

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { messageType } from "../src/bgp/wire/index.ts";
import {
  type BgpCase,
  feederAddress,
  feederAs,
  prefixCount,
  RECEIVER,
  type Step,
  wantedAt,
} from "./bgp-cases.ts";
import { type BenchSession, establish } from "./bgp-session.ts";
import { Tally } from "./bgp-tally.ts";
import { openOf, readUpdate, stepBytes } from "./bgp-wire.ts";

const HOLD_SECONDS = 240;
const AT_ONCE = 20;

export interface StepResult {
  /** From the first byte sent until the last route was there. */
  readonly seconds: number;
  /** Longest time between two messages on the quiet session, the one after the end included. */
  readonly silenceMs: number;
  /** Of the peers, all threads: what they take must not be what is measured. */
  readonly trafficCpuSeconds: number;
}

export type TrafficReport = "established" | StepResult;

class Traffic {
  readonly #bgp: BgpCase;
  readonly #tallies = new Map<"receiver" | number, Tally>();
  readonly #feeders: BenchSession[] = [];
  readonly #prepared = new Map<Step, Uint8Array[]>();
  /** Receiving peers that still wait for something. */
  readonly #waiting = new Set<"receiver" | number>();
  #onDone: () => void = () => undefined;

  constructor(bgp: BgpCase) {
    this.#bgp = bgp;
  }

  async establish(): Promise<void> {
    const { feeders, steps } = this.#bgp;
    for (const step of steps) {
      const all = Array.from({ length: feeders }, (_, i) => stepBytes(this.#bgp, step, i));
      this.#prepared.set(step, all);
    }
    await this.#peer({ who: "receiver", ...RECEIVER });
    // A few at a time: how long a queue for connections is, is not measured.
    for (let first = 0; first < feeders; first += AT_ONCE) {
      const count = Math.min(AT_ONCE, feeders - first);
      const some = Array.from({ length: count }, (_, i) => first + i).map((who) =>
        this.#peer({ who, address: feederAddress(who), as: feederAs(this.#bgp, who) }),
      );
      this.#feeders.push(...(await Promise.all(some)));
    }
  }

  #peer(peer: { who: "receiver" | number; address: string; as: number }): Promise<BenchSession> {
    const { who, address, as } = peer;
    const tally = new Tally(prefixCount(this.#bgp));
    this.#tallies.set(who, tally);
    return establish({
      address,
      open: openOf({ address, as, holdTimeSeconds: HOLD_SECONDS, afi: 1 }),
      onMessage: (type, message) => {
        if (type !== messageType.update) return;
        readUpdate(message, tally);
        if (!tally.done) this.#waiting.add(who);
        else if (this.#waiting.delete(who) && this.#waiting.size === 0) this.#onDone();
      },
    });
  }

  async run(step: Step): Promise<number> {
    for (const [who, tally] of this.#tallies) {
      tally.expect(wantedAt(this.#bgp, step, who));
      if (!tally.done) this.#waiting.add(who);
    }
    const done = new Promise<void>((resolve) => {
      this.#onDone = resolve;
    });
    const startedMs = performance.now();
    for (const [index, bytes] of this.#prepared.get(step)!.entries()) {
      if (bytes.length > 0) this.#feeders[index]!.send(bytes);
    }
    await done;
    return (performance.now() - startedMs) / 1000;
  }

  get words(): string {
    const [who] = this.#waiting;
    return `${this.#waiting.size} peers wait; ${who}: ${this.#tallies.get(who!)?.words}`;
  }
}

async function main(bgp: BgpCase): Promise<void> {
  const report = (message: TrafficReport) => process.send!(message);
  const traffic = new Traffic(bgp);
  const quiet = new Worker(new URL("./bgp-quiet.ts", import.meta.url));
  await once(quiet, "message");
  await traffic.establish();
  process.on("message", async (step: Step) => {
    quiet.postMessage("begin");
    const before = process.cpuUsage();
    const waiting = setInterval(
      () => process.stderr.write(`  ${step}: ${traffic.words}\n`),
      20_000,
    );
    const seconds = await traffic.run(step);
    clearInterval(waiting);
    const { user, system } = process.cpuUsage(before);
    quiet.postMessage("end");
    const [{ longestMs }] = (await once(quiet, "message")) as [{ longestMs: number }];
    report({ seconds, silenceMs: longestMs, trafficCpuSeconds: (user + system) / 1e6 });
  });
  report("established");
}

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as BgpCase);
