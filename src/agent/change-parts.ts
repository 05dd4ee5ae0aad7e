/** What an agent does for mode changes, in one place: it drives, proves, guards, and writes what it saw. */

import type { Datastore } from "../datastore/index.ts";
import type { Clock, IpAddress } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Driver } from "../mode/index.ts";
import type { NodePlan } from "../plan/index.ts";
import type { BgpRunner } from "./bgp-runner.ts";
import type { Cluster } from "./cluster.ts";
import { EvidenceBook } from "./evidence.ts";
import { agentGuard, type Guard } from "./guard/guard.ts";
import { modeDriver } from "./mode-driver.ts";
import { Prover } from "./prover.ts";

export interface ChangePartsOptions {
  readonly node: string;
  readonly store: Datastore;
  readonly clock: Clock;
  readonly log: Log;
  readonly cluster: Cluster;
  readonly bgp: Pick<BgpRunner, "peers" | "mesh">;
  /** What the kernel holds; undefined before the first pass. */
  readonly plan: () => NodePlan | undefined;
}

export class ChangeParts {
  readonly #cluster: Cluster;
  readonly #evidence: EvidenceBook;
  readonly #driver: Driver;
  readonly #guard: Guard;
  readonly #prover: Prover;

  constructor(options: ChangePartsOptions) {
    const { cluster } = options;
    this.#cluster = cluster;
    const evidence = new EvidenceBook(options);
    this.#evidence = evidence;
    this.#driver = modeDriver(options);
    this.#guard = agentGuard({ ...options, evidence });
    this.#prover = new Prover({ ...options, evidence, view: () => cluster.view() });
  }

  get totals(): Guard["totals"] {
    return this.#guard.totals;
  }

  /** What could not be written yet, and why. */
  get troubles(): readonly string[] {
    return this.#evidence.troubles;
  }

  start(): void {
    this.#driver.start();
  }

  /** Before each pass, which may fail. */
  follow(): void {
    this.#evidence.follow(this.#cluster.view().modeChanges);
    this.#guard.follow();
  }

  /** See {@link Prover.answerAt}. */
  answerAt(address: IpAddress | undefined): Promise<string | undefined> | undefined {
    return this.#prover.answerAt(address);
  }

  /** After each pass, with what the kernel was made to be. */
  step(plan: NodePlan): void {
    this.#prover.step(plan);
  }

  async stop(): Promise<void> {
    await this.#driver.stop();
    this.#guard.stop();
    await this.#prover.stop();
    await this.#evidence.stop();
  }
}
