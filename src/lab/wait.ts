/** `lab wait`: returns when every node has realised the pool's mode, as an operator would wait for it. */

import { openApiClient } from "../datastore/index.ts";
import { systemClock } from "../lib/index.ts";
import { type ModeName, modeName } from "../model/index.ts";
import { watchModes } from "./convergence.ts";
import type { LabState } from "./lab-state.ts";
import { layout } from "./topology.ts";

/** The mode that every node has realised. @throws LAB_FAILED after 30 s, naming who has not and why. */
export async function labWait(state: LabState): Promise<{ pool: string; mode: ModeName }> {
  const store = openApiClient({ socketPath: state.socketPath });
  const nodes = state.nodes.map(({ name }) => name);
  const watcher = await watchModes({ store, nodes, clock: systemClock });
  try {
    const pool = await store.get("IPPool", layout.poolName);
    await watcher.realised(pool);
    return { pool: layout.poolName, mode: modeName(pool.spec) };
  } finally {
    await watcher.stop();
    await store.close();
  }
}
