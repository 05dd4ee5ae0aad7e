/** A lab under traffic, as the acts of the demo share it. */

import { openApiClient } from "../../datastore/index.ts";
import { type Clock, sleep } from "../../lib/index.ts";
import { type ModeWatcher, watchModes } from "../convergence.ts";
import type { LabState } from "../lab-state.ts";
import { Traffic } from "../probe/index.ts";
import { pathEnds } from "./measure.ts";
import type { ProbeFacts } from "./report.ts";

/** Traffic before and after an act that belongs to it. */
const MARGIN_MS = 500;

export interface StageOptions {
  readonly print: (line: string) => void;
  readonly clock: Clock;
  /** Over all ordered pairs of pods; 2,800 unless told. */
  readonly probesPerSecond?: number;
  /** Of each throughput measurement; 1 unless told. */
  readonly throughputSeconds?: number;
}

export interface DemoStage extends StageOptions {
  readonly lab: LabState;
  readonly store: ReturnType<typeof openApiClient>;
  readonly watcher: ModeWatcher;
  readonly traffic: Traffic;
}

/** Every pod probes every other pod, and one TCP stream crosses the subnets, until `act` has ended. */
export async function onStage<T>(
  lab: LabState,
  options: StageOptions,
  act: (stage: DemoStage) => Promise<T>,
): Promise<T> {
  const store = openApiClient({ socketPath: lab.socketPath });
  const nodes = lab.nodes.map(({ name }) => name);
  const watcher = await watchModes({ store, nodes, clock: options.clock });
  const { from, crossSubnet } = pathEnds(lab);
  const traffic = await Traffic.start({
    endpoints: lab.pods,
    probesPerSecond: options.probesPerSecond ?? 2800,
    stream: { from: from.name, to: crossSubnet.name },
  });
  try {
    return await act({ ...options, lab, store, watcher, traffic });
  } finally {
    await traffic.stop();
    await watcher.stop();
    await store.close();
  }
}

/** What the traffic met while `act` went on. */
export async function counted<T>(
  { traffic, clock }: DemoStage,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly probes: ProbeFacts; readonly losses: string[] }> {
  await sleep(clock, MARGIN_MS);
  await traffic.beginWindow();
  await sleep(clock, MARGIN_MS);
  const result = await act();
  await sleep(clock, MARGIN_MS);
  const { total, stream, troubled } = await traffic.endWindow();
  const { sent, lost, reordered, maxGapMs } = total;
  return {
    result,
    probes: {
      sent,
      lost,
      reordered,
      maxGapMs: Math.round(maxGapMs * 10) / 10,
      tcpResets: stream?.resets ?? 0,
      tcpRetransmits: stream?.retransmits ?? 0,
    },
    losses: troubled
      .filter((pair) => pair.lost > 0)
      .map((pair) => `${pair.from} -> ${pair.to} lost ${pair.lost} of ${pair.sent}`),
  };
}
