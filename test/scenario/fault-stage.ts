/** A lab under traffic whose fabric has faults while somebody asks for changes of the pool's mode. */

import { addFault, layout, removeFaults } from "../../src/lab/index.ts";
import { Traffic, type WindowReport } from "../../src/lab/probe/index.ts";
import { sleep } from "../../src/lib/index.ts";
import { requestChange, sayWord } from "../../src/mode/index.ts";
import type { ModeChange, ModeChangeSpec } from "../../src/model/index.ts";
import type { FaultRow } from "./fault-table.ts";
import { clock, Stage } from "./stage.ts";

const limitMs = 120_000;

export class FaultStage {
  readonly stage: Stage;
  readonly traffic: Traffic;

  private constructor(stage: Stage, traffic: Traffic) {
    this.stage = stage;
    this.traffic = traffic;
  }

  /** Probes between all pods, and a TCP stream, from beginning to end. */
  static async open(name: string): Promise<FaultStage> {
    const stage = await Stage.open(name, { podsPerNode: 1, mode: "none" });
    const { pods } = stage.lab;
    const stream = { from: pods[0]!.name, to: pods.at(-1)!.name };
    return new FaultStage(
      stage,
      await Traffic.start({ endpoints: pods, probesPerSecond: 1000, stream }),
    );
  }

  async close(): Promise<void> {
    await this.traffic.stop();
    await this.stage.close();
  }

  /** The change that was asked for while the row's fault was there, and what pods saw of both. */
  async underFault(
    row: FaultRow,
    spec: ModeChangeSpec,
  ): Promise<{
    readonly ended: ModeChange;
    readonly report: WindowReport;
    readonly tookMs: number;
  }> {
    await this.stage.patch(row.from);
    await this.stage.settled();
    const startedMs = clock.monotonicMs();
    await this.traffic.beginWindow();
    await addFault(this.stage.lab, row.fault);
    try {
      const ended = await this.#change(spec);
      await removeFaults(this.stage.lab);
      const tookMs = Math.round(clock.monotonicMs() - startedMs);
      return { ended, report: await this.traffic.endWindow(), tookMs };
    } finally {
      await removeFaults(this.stage.lab);
    }
  }

  async #change(spec: ModeChangeSpec): Promise<ModeChange> {
    const { store } = this.stage;
    const { metadata } = await requestChange(store, {
      spec: { pool: layout.poolName, ...spec },
      clock,
      random: () => 0.5,
    });
    const { name } = metadata;
    const startedMs = clock.monotonicMs();
    for (;;) {
      const found = await store.get("ModeChange", name);
      const { phase } = found.status ?? {};
      if (phase === "Done" || phase === "Refused" || phase === "RolledBack") return found;
      if (clock.monotonicMs() - startedMs > limitMs) {
        // The next case wants the pool for itself.
        await sayWord(store, { name, word: "rollback", clock });
        throw new RangeError(`${name} does not end: ${JSON.stringify(found.status?.history)}`);
      }
      await sleep(clock, 100);
    }
  }
}
