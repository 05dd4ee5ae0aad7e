/** What can happen to a change at any of its steps: each fault is put in at one write of a driver. */

import { setImmediate } from "node:timers/promises";
import { hasCode } from "../../../lib/index.ts";
import { type ModeName, modeFields } from "../../../model/index.ts";
import { type OperatorWord, requestChange, sayWord } from "../request.ts";
import { away } from "./faulty-store.ts";
import { type DriverProcess, POOL, type Simulation } from "./simulation.ts";

export interface Scene {
  readonly it: Simulation;
  readonly change: string;
  /** Who is about to write. */
  readonly process: DriverProcess;
}

/** Does what it does around one write. */
export interface Fault {
  readonly name: string;
  readonly around: <T>(scene: Scene, write: () => Promise<T>) => Promise<T>;
}

/** Something else happens just before the write. */
function before(name: string, happen: (scene: Scene) => Promise<unknown> | unknown): Fault {
  return {
    name,
    around: async (scene, write) => {
      await happen(scene);
      return write();
    },
  };
}

const later = ({ it }: Scene, ms: number, act: () => unknown) => {
  it.clock.schedule(ms, () => void act());
};
const pause = ({ it }: Scene, ms: number) =>
  new Promise<void>((resolve) => it.clock.schedule(ms, resolve));

/** Somebody patches the pool, as with `patch ippool`. */
async function patchPool({ it }: Scene, to: ModeName | "nat"): Promise<void> {
  for (;;) {
    const pool = await it.store.get("IPPool", POOL).catch(() => undefined);
    if (!pool) return;
    const fields = to === "nat" ? { natOutgoing: !pool.spec.natOutgoing } : modeFields(to);
    try {
      await it.store.update<"IPPool">({ ...pool, spec: { ...pool.spec, ...fields } });
      return;
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}

async function say({ it, change }: Scene, word: OperatorWord): Promise<void> {
  await sayWord(it.store, { name: change, word, clock: it.clock }).catch((error) => {
    if (!hasCode(error, "MODE_CHANGE_TOO_LATE") && !hasCode(error, "RESOURCE_NOT_FOUND")) {
      throw error;
    }
  });
}

function cutOff(scene: Scene, ms: number): void {
  const { it } = scene;
  for (const driver of it.drivers) driver.store.setCut(true);
  for (const agent of it.agents.values()) agent.away = true;
  later(scene, ms, () => {
    for (const driver of it.drivers) driver.store.setCut(false);
    for (const agent of it.agents.values()) agent.away = false;
    it.stir();
  });
}

function nodeAway(scene: Scene, ms: number): void {
  const agent = scene.it.agents.get("d");
  if (!agent) return;
  agent.away = true;
  later(scene, ms, () => {
    agent.away = false;
    scene.it.stir();
  });
}

const minute = 60_000;
const hour = 60 * minute;
/** Longer than any wait for a node. */
const long = 20 * minute;

export const faults: readonly Fault[] = [
  {
    name: "the driver dies before the write",
    around: async ({ process }, write) => {
      process.kill();
      return write();
    },
  },
  {
    name: "the driver dies after the write",
    around: async ({ process }, write) => {
      await write();
      process.kill();
      throw away();
    },
  },
  {
    name: "the driver sleeps before the write, and then writes",
    around: async (scene, write) => {
      await pause(scene, 2 * minute);
      return write();
    },
  },
  {
    name: "the driver sleeps after the write",
    around: async (scene, write) => {
      const result = await write();
      await pause(scene, 2 * minute);
      return result;
    },
  },
  {
    name: "the answer to the write is lost",
    around: async (_, write) => {
      await write();
      await setImmediate();
      throw away();
    },
  },
  before("the driver is cut off for a minute", (scene) => {
    scene.process.store.setCut(true);
    later(scene, minute, () => scene.process.store.setCut(false));
  }),
  before("the datastore is away for 30 s", (scene) => cutOff(scene, 30_000)),
  before("the datastore is away for 20 min", (scene) => cutOff(scene, long)),
  before("a node is cut off for a minute", (scene) => nodeAway(scene, minute)),
  before("a node is cut off for 20 min", (scene) => nodeAway(scene, long)),
  before("a node leaves", ({ it }) => it.leave("d")),
  before("a node comes", ({ it }) => it.join("e", "172.16.2.9/24")),
  before("a node comes that is cut off for 20 min", async (scene) => {
    await scene.it.join("e", "172.16.2.9/24");
    const agent = scene.it.agents.get("e");
    if (agent) agent.away = true;
    later(scene, long, () => {
      if (agent) agent.away = false;
      scene.it.stir();
    });
  }),
  before("a kernel refuses to receive the new way", ({ it }) => {
    it.agents.get("d")!.refusesToReceive = "vxlan";
    it.stir();
  }),
  before("a kernel refuses to send the new way", ({ it }) => {
    it.agents.get("d")!.refusesToSend = "vxlan";
    it.stir();
  }),
  before("a kernel refuses to send the old way", ({ it }) => {
    it.agents.get("d")!.refusesToSend = "ipip";
    it.stir();
  }),
  before("the driver's clock jumps an hour ahead", ({ process }) => {
    process.clock.offsetMs += hour;
  }),
  before("the driver's clock jumps an hour back", ({ process }) => {
    process.clock.offsetMs -= hour;
  }),
  before("another hand writes a third mode", (scene) => patchPool(scene, "none")),
  before("another hand writes the new mode", (scene) => patchPool(scene, "vxlan")),
  before("another hand writes the old mode, later", (scene) =>
    later(scene, 300, () => patchPool(scene, "ipip")),
  ),
  before("another hand writes the new mode and takes it back", async (scene) => {
    await patchPool(scene, "vxlan");
    later(scene, 3_000, () => patchPool(scene, "ipip"));
  }),
  before("another hand writes something else of the pool", (scene) => patchPool(scene, "nat")),
  before("the operator says rollback", (scene) => say(scene, "rollback")),
  before("the operator says confirm", (scene) => say(scene, "confirm")),
  before("the operator says confirm, and another rollback", async (scene) => {
    await say(scene, "confirm");
    await say(scene, "rollback");
  }),
  before("the operator says pause, and resume later", async (scene) => {
    await say(scene, "pause");
    later(scene, 3 * minute, () => say(scene, "resume"));
  }),
  before("a second operator asks for another mode", async ({ it }) => {
    const { clock, store } = it;
    const spec = { pool: POOL, to: "none" as const, requestedBy: "the second", confirmed: true };
    await requestChange(store, { spec, clock, random: () => 0.1 });
  }),
  before("somebody deletes the change", ({ it, change }) =>
    it.store.delete("ModeChange", change).catch(() => undefined),
  ),
  before("somebody deletes the lease", ({ it, change }) =>
    it.store.delete("Lease", change).catch(() => undefined),
  ),
  before("somebody deletes a NodeMode", async ({ it }) => {
    it.exempt.add("d");
    await it.store.delete("NodeMode", "d").catch(() => undefined);
    it.agents.get("d")?.forget();
  }),
  before("somebody deletes the evidence of a node", async ({ it, change }) => {
    await it.store.delete("ModeEvidence", `${change}.d`).catch(() => undefined);
    it.agents.get("d")?.forget();
  }),
  before("somebody deletes the pool", ({ it }) =>
    it.store.delete("IPPool", POOL).catch(() => undefined),
  ),
  before("a guard sees a breach", ({ it }) => {
    it.agents.get("c")!.breach = "3 of 100 probes lost";
    it.stir();
  }),
  before("an agent is of an older version", ({ it }) => {
    it.agents.get("d")!.old = true;
    it.stir();
  }),
];
