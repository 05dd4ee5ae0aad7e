/**
 * Shows a change until there is nothing more to wait for: as a picture on a terminal, as lines elsewhere.
 * Whoever stops looking stops nothing.
 */

import type { Datastore } from "../../datastore/index.ts";
import type { Timer } from "../../lib/index.ts";
import type { CtlContext } from "../context.ts";
import { changeEvents } from "../output/change/events.ts";
import type { ChangeFacts } from "../output/change/facts.ts";
import { nodeProgress } from "../output/change/facts.ts";
import { isSettled } from "../output/change/outcome.ts";
import { phaseNow, renderScreen } from "../output/change/screen.ts";
import { durationText, elapsedMs, plainText } from "../output/change/text.ts";
import { canRedraw, hasColour, hasUnicode, LiveScreen } from "../terminal.ts";
import { ChangeWatch } from "./watch.ts";

export interface FollowOptions {
  readonly store: Datastore;
  readonly context: CtlContext;
  readonly id: string;
  /** Also through the time in which the operator's word is waited for. */
  readonly untilTheEnd: boolean;
  /** What needs no telling any more, as it happened before. */
  readonly seen?: ChangeFacts;
  /** Progress belongs on standard error, in lines: standard output is for a document. */
  readonly document: boolean;
}

export type Followed =
  | { readonly kind: "settled"; readonly facts: ChangeFacts }
  | { readonly kind: "interrupted"; readonly facts: ChangeFacts | undefined }
  /** Somebody deleted the object. */
  | { readonly kind: "gone"; readonly facts: ChangeFacts | undefined };

/** Often enough to see seconds pass; also when a datastore that stays away is spoken of again. */
const tickMs = 1000;
/** Many objects change at once: one picture for all of them. */
const gatherMs = 50;
/** A phase that takes so long says what it waits for, and again after as long. */
const patienceMs = 30_000;

export function follow(options: FollowOptions): Promise<Followed> {
  return new Promise((resolve) => new Follower(options, resolve).start());
}

class Follower {
  readonly #options: FollowOptions;
  readonly #resolve: (followed: Followed) => void;
  readonly #watch: ChangeWatch;
  readonly #screen: LiveScreen | undefined;
  readonly #print: (text: string) => void;
  #last: ChangeFacts | undefined;
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #trouble: string | undefined;
  #complainedMs: number;
  #offInterrupt: (() => void) | undefined;
  #ended = false;

  constructor(options: FollowOptions, resolve: (followed: Followed) => void) {
    const { context, store, id, document } = options;
    const { terminal, env, clock } = context;
    this.#options = options;
    this.#last = options.seen;
    this.#resolve = resolve;
    this.#print = document ? context.stderr : context.stdout;
    this.#complainedMs = clock.monotonicMs();
    if (terminal && !document && canRedraw(env)) {
      const colour = hasColour(env);
      this.#screen = new LiveScreen({ terminal, colour, write: context.stdout });
    }
    this.#watch = new ChangeWatch({ store, clock, id, changed: () => this.#lookWithin(gatherMs) });
  }

  start(): void {
    this.#offInterrupt = this.#options.context.onInterrupt?.(() => {
      this.#end({ kind: "interrupted", facts: this.#watch.facts ?? this.#last });
    });
    this.#watch.start();
    this.#lookWithin(tickMs);
  }

  #lookWithin(delayMs: number): void {
    if (this.#ended) return;
    const { clock } = this.#options.context;
    const dueMs = clock.monotonicMs() + delayMs;
    if (dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = clock.schedule(delayMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#look();
    });
  }

  #look(): void {
    this.#noteTrouble();
    const followed = this.#watch.synced ? this.#seen() : undefined;
    if (followed) this.#end(followed);
    else this.#lookWithin(tickMs);
  }

  /** Undefined: look again. */
  #seen(): Followed | undefined {
    const { facts } = this.#watch;
    if (!facts) return { kind: "gone", facts: this.#last };
    this.#show(facts);
    return isSettled(facts, this.#options.untilTheEnd) ? { kind: "settled", facts } : undefined;
  }

  #show(facts: ChangeFacts): void {
    const { context } = this.#options;
    const { terminal, env } = context;
    if (this.#screen && terminal) {
      const size = { columns: terminal.columns(), rows: terminal.rows() };
      this.#screen.draw(renderScreen(facts, { ...size, unicode: hasUnicode(env) }));
    } else {
      const events = changeEvents(this.#last, facts);
      for (const event of events) this.#print(`${event}\n`);
      this.#complain(facts, events.length > 0);
    }
    this.#last = facts;
  }

  /** Without a picture, silence looks like death. */
  #complain(facts: ChangeFacts, somethingHappened: boolean): void {
    const nowMs = this.#options.context.clock.monotonicMs();
    if (somethingHappened) this.#complainedMs = nowMs;
    if (nowMs - this.#complainedMs < patienceMs) return;
    this.#complainedMs = nowMs;
    const { status, metadata } = facts.change;
    const since = status ? durationText(elapsedMs(status.phaseSince, facts.nowMs)) : undefined;
    const what = status
      ? `still ${status.phase} after ${since}: ${phaseNow(facts, nodeProgress(facts))}`
      : "no agent has taken it up yet";
    this.#print(`${metadata.name}: ${what}\n`);
  }

  #noteTrouble(): void {
    const { trouble } = this.#watch;
    if ((trouble === undefined) === (this.#trouble === undefined)) return;
    const { id, context } = this.#options;
    const text =
      trouble === undefined
        ? "the server answers again"
        : `the server does not answer (${plainText(trouble)}); the change does not need this command, which tries again`;
    this.#screen?.clear();
    context.stderr(`${id}: ${text}\n`);
    this.#trouble = trouble;
  }

  #end(followed: Followed): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#offInterrupt?.();
    void this.#watch.stop().then(() => this.#resolve(followed));
  }
}
