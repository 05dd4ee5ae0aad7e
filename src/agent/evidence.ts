/**
 * Writes what this node saw of each running change to its ModeEvidence (`CHANGE.NODE`). Prover and guard say
 * what they see; this is the only place that writes it, so that neither overwrites the other. What must be
 * known at once is written at once, the rest is gathered for a second. While the datastore is away everything
 * said is kept and tried again. An agent that starts again continues the object it finds.
 */

import type { Datastore } from "../datastore/index.ts";
import { Backoff, type Clock, deadline, errorText, hasCode, type Timer } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { ModeChange, ModeEvidence, ModeEvidenceStatus } from "../model/index.ts";
import { type Evidence, mergeEvidence, noEvidence } from "./merge-evidence.ts";

/** What need not be known at once is written this often at most. */
const GATHER_MS = 1_000;
const firstRetryMs = 100;
const slowestRetryMs = 5_000;
/** An agent that ends waits so long for its last word. */
const LAST_WORD_MS = 500;

export interface EvidenceBookOptions {
  readonly store: Pick<Datastore, "get" | "create" | "update">;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** One writer per change. */
export class EvidenceBook {
  readonly #options: EvidenceBookOptions;
  readonly #writers = new Map<string, EvidenceWriter>();

  constructor(options: EvidenceBookOptions) {
    this.#options = options;
  }

  /** The writer of this change: the same for everybody who asks. */
  writer(change: string): EvidenceWriter {
    const writer = this.#writers.get(change) ?? new EvidenceWriter(this.#options, change);
    this.#writers.set(change, writer);
    return writer;
  }

  /** Ends the writers of changes that have no orders; their objects stay, and go with their changes. */
  follow(changes: readonly ModeChange[]): void {
    const ordered = changes.filter(({ status }) => status?.orders !== undefined);
    const names = new Set(ordered.map(({ metadata }) => metadata.name));
    for (const [change, writer] of this.#writers) {
      if (names.has(change)) continue;
      this.#writers.delete(change);
      void writer.stop();
    }
  }

  /** What could not be written yet, and why. */
  get troubles(): readonly string[] {
    return [...this.#writers.values()].flatMap(({ trouble }) => trouble ?? []);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.stop()));
  }
}

export class EvidenceWriter {
  readonly #options: EvidenceBookOptions;
  readonly #change: string;
  readonly #backoff = new Backoff({ initialMs: firstRetryMs, maximumMs: slowestRetryMs });
  readonly #waiting: ((evidence: Evidence) => void)[] = [];
  #evidence = noEvidence;
  /** The object as it was last read or written; undefined: it must be read. */
  #stored: ModeEvidence | "none" | undefined;
  #restored = false;
  /** What was said before the object was read. */
  #early: Partial<Evidence>[] = [];
  /** Something is known that is not stored. */
  #unwritten = false;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #working: Promise<void> | undefined;
  #urgent = false;
  #stopped = false;
  #trouble: string | undefined;

  constructor(options: EvidenceBookOptions, change: string) {
    this.#options = options;
    this.#change = change;
  }

  get name(): string {
    return `${this.#change}.${this.#options.node}`;
  }

  /** Everything that was said, and, once it has been read, what was stored before this process. */
  get evidence(): Evidence {
    return this.#evidence;
  }

  get trouble(): string | undefined {
    return this.#trouble && `ModeEvidence ${this.name}: ${this.#trouble}`;
  }

  /** Resolves, however long the datastore is away, with what an agent before this one had seen and this one has. */
  restored(): Promise<Evidence> {
    if (this.#restored) return Promise.resolve(this.#evidence);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#plan();
    });
  }

  /** Adds to what is known (`mergeEvidence` says how). `now` for what a change waits for or turns back for. */
  say(part: Partial<Evidence>, when: "now" | "soon" = "soon"): void {
    if (this.#stopped) return;
    const before = JSON.stringify(this.#evidence);
    this.#evidence = mergeEvidence(this.#evidence, part);
    // What is stored may say otherwise: until it has been read, nothing is known to be said already.
    if (!this.#restored) this.#early.push(part);
    else if (JSON.stringify(this.#evidence) === before) return;
    this.#unwritten = true;
    this.#urgent ||= when === "now";
    this.#plan();
  }

  /** Writes what is unwritten, if the datastore answers quickly. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    const lastWord = async () => {
      await this.#working;
      if (this.#unwritten) await this.#work();
    };
    const signal = deadline(this.#options.clock, LAST_WORD_MS);
    const late = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    await Promise.race([lastWord(), late]);
  }

  /** Works at the time at which there will be something to do. */
  #plan(): void {
    if (this.#stopped || this.#working) return;
    const reading = !this.#restored && this.#waiting.length > 0;
    if (!reading && !this.#unwritten) return;
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const gatheredMs = reading || this.#urgent ? nowMs : this.#writtenAtMs + GATHER_MS;
    const dueMs = Math.max(nowMs, gatheredMs, this.#retryAtMs);
    if (dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = clock.schedule(dueMs - nowMs, () => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      this.#working = this.#work().then(() => {
        this.#working = undefined;
        this.#plan();
      });
    });
  }

  async #work(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.#read();
      if (this.#unwritten) await this.#write();
      this.#backoff.reset();
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble = errorText(error);
      log.debug({ err: error, name: this.name }, "evidence not written");
      const raced = ["RESOURCE_CONFLICT", "RESOURCE_ALREADY_EXISTS", "RESOURCE_NOT_FOUND"] as const;
      if (raced.some((code) => hasCode(error, code))) this.#stored = undefined;
      this.#retryAtMs = clock.monotonicMs() + this.#backoff.next();
    }
  }

  /** Another writer of this object is an agent before this one: what it saw is seen. */
  async #read(): Promise<void> {
    if (this.#stored !== undefined) return;
    const stored = await this.#get();
    const { updatedAt: _, ...known }: Partial<ModeEvidenceStatus> & Evidence =
      stored?.status ?? noEvidence;
    if (this.#restored) this.#evidence = mergeEvidence(known, this.#evidence);
    else this.#evidence = this.#early.splice(0).reduce(mergeEvidence, known);
    this.#stored = stored ?? "none";
    this.#restored = true;
    for (const resolve of this.#waiting.splice(0)) resolve(this.#evidence);
  }

  async #get(): Promise<ModeEvidence | undefined> {
    try {
      return await this.#options.store.get("ModeEvidence", this.name);
    } catch (error) {
      if (hasCode(error, "RESOURCE_NOT_FOUND")) return undefined;
      throw error;
    }
  }

  async #write(): Promise<void> {
    const { store, clock, node } = this.#options;
    const urgent = this.#urgent;
    this.#unwritten = false;
    this.#urgent = false;
    const fresh = {
      apiVersion: "switchyard.io/v1",
      kind: "ModeEvidence",
      metadata: { name: this.name },
      spec: { change: this.#change, node },
      status: { ...this.#evidence, updatedAt: new Date(clock.now()).toISOString() },
    } as const;
    try {
      this.#stored =
        this.#stored === "none" || this.#stored === undefined
          ? await store.create<"ModeEvidence">(fresh)
          : await store.update<"ModeEvidence">({ ...fresh, metadata: this.#stored.metadata });
      this.#writtenAtMs = clock.monotonicMs();
    } catch (error) {
      this.#unwritten = true;
      this.#urgent ||= urgent;
      throw error;
    }
  }
}
