/**
 * Drives one change while the lease is held: observes, asks the state machine, writes its answer, all by
 * compare-and-swap. Keeps nothing but since when it has seen the present stage.
 */

import type { Datastore } from "../../datastore/index.ts";
import { Backoff, type Clock, errorText, hasCode } from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import type {
  BGPConfiguration,
  IPPool,
  ModeChange,
  NodeHost,
  Trap,
  Verdict,
} from "../../model/index.ts";
import { claim, PROBES_LEASE, poolLease } from "./claim.ts";
import { advance, stageOf } from "./machine.ts";
import type { Observed } from "./observed.ts";
import { prune } from "./prune.ts";
import type { Advance, World } from "./types.ts";
import { hasEnded } from "./write.ts";

/** What the judges are shown. */
export type Exhibit = Pick<World, "nodes" | "nodeModes" | "evidence"> & {
  readonly change: ModeChange;
  readonly hosts: readonly NodeHost[];
};

/** Whoever knows of traps and of proofs. */
export interface Judges {
  readonly findTraps: (exhibit: Exhibit) => readonly Trap[];
  readonly judgeProof: (exhibit: Exhibit) => readonly Verdict[];
}

export interface DriveOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  readonly log: Log;
  readonly change: string;
  readonly identity: string;
  readonly observed: Observed;
  readonly judges: Judges;
  /** 32 random bytes in hex. */
  readonly newKey: () => string;
  /** Whether this process may still write. */
  readonly mayWrite: () => boolean;
  readonly signal: AbortSignal;
}

const firstRetryMs = 200;
const slowestRetryMs = 5_000;

export class Drive {
  readonly #options: DriveOptions;
  readonly #backoff = new Backoff({ initialMs: firstRetryMs, maximumMs: slowestRetryMs });
  #stage = "";
  #stageSinceMs = 0;
  #holder: string | undefined;
  #probedFor: string | undefined;
  #commitRefused: string | undefined;
  /** What was written or met last must be seen before anything is decided. */
  #atLeast = "0";

  constructor(options: DriveOptions) {
    this.#options = options;
  }

  /**
   * Goes as far as it can now. Says after how many milliseconds it is to be asked again even if nothing
   * changes; undefined: not before something does.
   */
  async advance(): Promise<number | undefined> {
    const { log, signal } = this.#options;
    try {
      for (;;) {
        const wait = await this.#once();
        this.#backoff.reset();
        if (wait !== "again") return wait;
      }
    } catch (error) {
      if (signal.aborted) return undefined;
      log.debug({ error: errorText(error) }, "a step of the mode change failed, trying again");
      return this.#backoff.next();
    }
  }

  async #once(): Promise<number | undefined | "again"> {
    const { change: name, observed, signal } = this.#options;
    const current = () => observed.kept.modeChanges.items().get(name);
    await observed.upTo(later(this.#atLeast, current()?.metadata.resourceVersion), signal);
    const change = current();
    if (change === undefined || !observed.connected || !this.#options.mayWrite()) return undefined;
    if (change.status && hasEnded(change.status.phase)) return undefined;
    if (change.status?.phase === "Planning") await this.#claim(change);
    return this.#write(change, this.#ask(change));
  }

  async #claim(change: ModeChange): Promise<void> {
    const { store, change: name } = this.#options;
    this.#holder ??= await claim(store, { lease: poolLease(change), change: name });
    // Who has to wait for its end asks again, whoever may not begin does not ask.
    if (this.#holder !== name || this.#probedFor === name) return;
    this.#probedFor = await claim(store, { lease: PROBES_LEASE, change: name });
  }

  #ask(change: ModeChange): Advance {
    const { clock, observed, judges, newKey } = this.#options;
    const nowMs = clock.monotonicMs();
    const stage = stageOf(change);
    if (stage !== this.#stage) this.#stageSinceMs = nowMs;
    this.#stage = stage;
    const { nodes, pools, nodeModes, bgpConfigurations } = observed.kept;
    const seen = {
      nodes: [...nodes.items().values()],
      nodeModes: nodeModes.items(),
      evidence: observed.evidence(),
    };
    const exhibit = { ...seen, change, hosts: observed.hosts() };
    const world = {
      ...seen,
      pool: pools.items().get(change.spec.pool ?? ""),
      mesh: bgpConfigurations.items().get("default"),
      holder: this.#holder,
      probedFor: this.#probedFor,
      commitRefused: this.#commitRefused,
      fault: undefined,
      findTraps: () => judges.findTraps(exhibit),
      judgeProof: () => judges.judgeProof(exhibit),
    };
    const stageForMs = nowMs - this.#stageSinceMs;
    const moment = { wallMs: clock.now(), stageForMs, key: newKey() };
    try {
      return advance(change, world, moment);
    } catch (error) {
      // What a judge cannot read will not be better the next time: the change ends, with its words.
      this.#options.log.error({ err: error, change: change.metadata.name }, "a judge failed");
      return advance(change, { ...world, fault: errorText(error) }, moment);
    }
  }

  async #write(change: ModeChange, answer: Advance): Promise<number | undefined | "again"> {
    const { store, log, identity, observed } = this.#options;
    if (answer.kind === "wait") return answer.wakeInMs;
    if (answer.kind === "commit") return this.#commit(answer.resource);
    const status = { ...answer.status, driver: identity };
    if (status.phase === "Narrowing" && !status.committed && change.status?.phase !== "Narrowing") {
      if (!(await this.#seesPool(change))) return "again";
    }
    const written = await this.#tolerating(() => store.update<"ModeChange">({ ...change, status }));
    if (written === undefined) return this.#reread("ModeChange", change.metadata.name);
    const { phase, history } = status;
    log.info({ change: change.metadata.name, phase }, `mode change: ${history.at(-1)?.message}`);
    this.#atLeast = written.metadata.resourceVersion ?? this.#atLeast;
    if (hasEnded(phase)) await prune(store, { observed, change: written });
    return "again";
  }

  /** The pool as it is seen is the pool as it is stored: its revision is about to be recorded. */
  async #seesPool({ spec }: ModeChange): Promise<boolean> {
    const { store, observed } = this.#options;
    if (spec.pool === undefined) return this.#seesMesh();
    const seen = observed.kept.pools.items().get(spec.pool)?.metadata.resourceVersion;
    const { resourceVersion } = (await store.get("IPPool", spec.pool)).metadata;
    this.#atLeast = later(this.#atLeast, resourceVersion);
    return seen === resourceVersion;
  }

  async #seesMesh(): Promise<boolean> {
    const { store, observed } = this.#options;
    const seen = observed.kept.bgpConfigurations.items().get("default");
    const { items, resourceVersion } = await store.list("BGPConfiguration");
    const stored = items.find(({ metadata }) => metadata.name === "default");
    this.#atLeast = later(this.#atLeast, stored?.metadata.resourceVersion ?? resourceVersion);
    return seen?.metadata.resourceVersion === stored?.metadata.resourceVersion;
  }

  async #commit(resource: IPPool | BGPConfiguration): Promise<number | undefined | "again"> {
    const { store } = this.#options;
    try {
      const written = await this.#tolerating(() =>
        resource.metadata.resourceVersion === undefined
          ? store.create<"IPPool" | "BGPConfiguration">(resource)
          : store.update<"IPPool" | "BGPConfiguration">(resource),
      );
      if (written === undefined) return this.#reread(resource.kind, resource.metadata.name);
      this.#atLeast = written.metadata.resourceVersion ?? this.#atLeast;
    } catch (error) {
      const final = hasCode(error, "RESOURCE_INVALID") || hasCode(error, "OPERATION_NOT_SUPPORTED");
      if (!final) throw error;
      this.#commitRefused = errorText(error);
    }
    return "again";
  }

  /** Undefined: somebody else was first. */
  async #tolerating<T>(write: () => Promise<T>): Promise<T | undefined> {
    if (!this.#options.mayWrite()) throw new Error("the lease is not held any more");
    try {
      return await write();
    } catch (error) {
      const raced =
        hasCode(error, "RESOURCE_CONFLICT") ||
        hasCode(error, "RESOURCE_ALREADY_EXISTS") ||
        hasCode(error, "RESOURCE_NOT_FOUND");
      if (raced) return undefined;
      throw error;
    }
  }

  /** Waits for the view to show what the conflict was about. */
  async #reread(kind: "IPPool" | "BGPConfiguration" | "ModeChange", name: string) {
    const list = await this.#options.store.list(kind);
    const stored = list.items.find(({ metadata }) => metadata.name === name);
    // What is gone is gone at the revision of the whole list.
    const revision = stored?.metadata.resourceVersion ?? list.resourceVersion;
    this.#atLeast = later(this.#atLeast, revision);
    return "again" as const;
  }
}

/** Revisions are decimal counters of any length. */
function later(a: string, b: string | undefined): string {
  if (b === undefined) return a;
  return b.length > a.length || (b.length === a.length && b > a) ? b : a;
}
