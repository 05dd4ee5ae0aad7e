/**
 * The peers of a subject, all in this process, inside the network namespace it was started in. Its
 * argument is the case; a message from its parent begins the next step, and its answer is what came of it.
 */

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { messageType } from "../src/bgp/wire/index.ts";
import { type BgpCase, prefixCount, type Step } from "./bgp-cases.ts";
import { addressOf, type BenchPeer, feederOf, RECEIVER } from "./bgp-peers.ts";
import { readUpdate } from "./bgp-read.ts";
import { type Receiver, type Wanted, wantedAt, wantedWhileDown } from "./bgp-routes.ts";
import { type BenchSession, establish } from "./bgp-session.ts";
import { Tally } from "./bgp-tally.ts";
import { openOf, stepPieces } from "./bgp-wire.ts";

const HOLD_SECONDS = 240;
const AT_ONCE = 20;
const SESSION_FLAPS = 10;

export interface StepTimes {
  /** From the first byte sent, or the session's end, until the last route was there, or gone. */
  readonly seconds: number;
  /** Until a session that flaps was Established again; no part of the other. */
  readonly returnSeconds?: number;
}

export interface StepResult extends StepTimes {
  /** Longest time between two messages on the quiet session, the one after the end included. */
  readonly silenceMs: number;
  /** Of the peers, all threads: what they take must not be what is measured. */
  readonly trafficCpuSeconds: number;
}

export type TrafficReport =
  | { readonly kind: "established" }
  | { readonly kind: "done"; readonly result: StepResult }
  | { readonly kind: "failed"; readonly words: string };

class Traffic {
  readonly #bgp: BgpCase;
  readonly #tallies = new Map<Receiver, Tally>();
  readonly #feeders: BenchSession[] = [];
  readonly #prepared = new Map<Step, Uint8Array[][]>();
  /** Receiving peers that still wait for something. */
  readonly #waiting = new Set<Receiver>();
  #onDone: () => void = () => undefined;

  constructor(bgp: BgpCase) {
    this.#bgp = bgp;
  }

  async establish(): Promise<void> {
    const { feeders, steps } = this.#bgp;
    for (const step of steps) {
      const all = Array.from({ length: feeders }, (_, i) => stepPieces(this.#bgp, step, i));
      this.#prepared.set(step, all);
    }
    await this.#peer("receiver");
    // A few at a time: how long a queue for connections is, is not measured.
    for (let first = 0; first < feeders; first += AT_ONCE) {
      const count = Math.min(AT_ONCE, feeders - first);
      const some = Array.from({ length: count }, (_, i) => this.#peer(first + i));
      this.#feeders.push(...(await Promise.all(some)));
    }
  }

  #peer(who: Receiver): Promise<BenchSession> {
    const { family } = this.#bgp;
    const peer: BenchPeer = who === "receiver" ? RECEIVER : feederOf(this.#bgp, who);
    const tally = this.#tallies.get(who) ?? new Tally(prefixCount(this.#bgp));
    this.#tallies.set(who, tally);
    return establish({
      address: addressOf(peer, family),
      family,
      open: openOf(peer, { family, holdTimeSeconds: HOLD_SECONDS }),
      onMessage: (type, message) => {
        if (type !== messageType.update) return;
        readUpdate(message, tally);
        if (!tally.done) this.#waiting.add(who);
        else if (this.#waiting.delete(who) && this.#waiting.size === 0) this.#onDone();
      },
    });
  }

  run(step: Step): Promise<StepTimes> {
    return step === "session-flap" ? this.#flapSession() : this.#send(step);
  }

  async #send(step: Step): Promise<StepTimes> {
    const done = this.#expect((who) => wantedAt(this.#bgp, step, who));
    const startedMs = performance.now();
    for (const [index, pieces] of this.#prepared.get(step)!.entries()) {
      if (pieces.length > 0) this.#feeders[index]!.send(pieces);
    }
    await done;
    return { seconds: secondsSince(startedMs) };
  }

  /** How long a subject keeps away who flaps is its policy: that time is told by itself. */
  async #flapSession(): Promise<StepTimes> {
    let seconds = 0;
    let returnSeconds = 0;
    for (let flap = 0; flap < SESSION_FLAPS; flap++) {
      const withdrawn = this.#expect((who) => wantedWhileDown(this.#bgp, who));
      const downMs = performance.now();
      this.#feeders[0]!.close();
      await withdrawn;
      seconds += secondsSince(downMs);
      this.#tallies.get(0)!.clear();
      // Before it dials: it is told routes as soon as it is Established.
      const told = this.#expect((who) => wantedAt(this.#bgp, "session-flap", who));
      const dialledMs = performance.now();
      this.#feeders[0] = await this.#peer(0);
      returnSeconds += secondsSince(dialledMs);
      const upMs = performance.now();
      this.#feeders[0].send(this.#prepared.get("session-flap")![0]!);
      await told;
      seconds += secondsSince(upMs);
    }
    return { seconds, returnSeconds };
  }

  /** Resolves when every receiving peer has what it wants. */
  #expect(wanted: (who: Receiver) => Wanted | undefined): Promise<void> {
    for (const [who, tally] of this.#tallies) {
      tally.expect(wanted(who));
      if (!tally.done) this.#waiting.add(who);
    }
    return new Promise<void>((resolve) => {
      this.#onDone = resolve;
    });
  }

  get words(): string {
    const [who] = this.#waiting;
    return `${this.#waiting.size} peers wait; ${who}: ${this.#tallies.get(who!)?.words}`;
  }
}

function secondsSince(startedMs: number): number {
  return (performance.now() - startedMs) / 1000;
}

async function main(bgp: BgpCase): Promise<void> {
  const report = (message: TrafficReport) => process.send!(message);
  // A subject that ends a session is told of as such.
  process.on("uncaughtException", ({ message }) => report({ kind: "failed", words: message }));
  // The parent was killed.
  process.on("disconnect", () => process.exit(1));
  const traffic = new Traffic(bgp);
  const quiet = new Worker(new URL("./bgp-quiet.ts", import.meta.url), { workerData: bgp });
  await once(quiet, "message");
  await traffic.establish();
  process.on("message", async (step: Step) => {
    quiet.postMessage("begin");
    const before = process.cpuUsage();
    const waiting = setInterval(
      () => process.stderr.write(`  ${step}: ${traffic.words}\n`),
      20_000,
    );
    const times = await traffic.run(step);
    clearInterval(waiting);
    const { user, system } = process.cpuUsage(before);
    quiet.postMessage("end");
    const [{ longestMs }] = (await once(quiet, "message")) as [{ longestMs: number }];
    const result = { silenceMs: longestMs, trafficCpuSeconds: (user + system) / 1e6 };
    report({ kind: "done", result: { ...times, ...result } });
  });
  report({ kind: "established" });
}

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as BgpCase);
