/** What goes wrong at a step boundary, done to a real lab, and put right some seconds later. */

import { addFault, killAgent, removeFaults, startAgent } from "../../../src/lab/index.ts";
import { sleep } from "../../../src/lib/index.ts";
import { requestChange, sayWord } from "../../../src/mode/index.ts";
import type { ModeChange } from "../../../src/model/index.ts";
import { clock, type Stage } from "../stage.ts";

export interface Trouble {
  readonly name: string;
  /** Does it, and puts it right before it returns. */
  readonly happen: (stage: Stage, change: ModeChange) => Promise<void>;
  /** Pods of this node may lose packets: it was cut off by the trouble itself. */
  readonly isolates?: string;
}

const LASTS_MS = 3_000;

/** Three nodes: a canary, and two waves in which something can go wrong. */
export const matrixLab = { nodes: 3, podsPerNode: 1, drain: "500ms" } as const;

/** The node whose agent drives the change now. */
export function driverNode(change: ModeChange): string {
  return change.status?.driver?.split("/")[0] ?? "node1";
}

async function dieAndReturn(stage: Stage, node: string): Promise<void> {
  await killAgent(stage.lab, node);
  await sleep(clock, LASTS_MS);
  await startAgent(stage.lab, node);
}

export const troubles: readonly Trouble[] = [
  {
    name: "the driver's agent is killed",
    happen: (stage, change) => dieAndReturn(stage, driverNode(change)),
  },
  {
    name: "another agent is killed",
    happen: (stage, change) =>
      dieAndReturn(stage, stage.nodeNames.find((name) => name !== driverNode(change)) ?? ""),
  },
  {
    name: "the driver's agent sleeps through its lease",
    happen: async (stage, change) => {
      const pid = await stage.agentPid(driverNode(change));
      process.kill(pid, "SIGSTOP");
      await sleep(clock, 20_000);
      process.kill(pid, "SIGCONT");
    },
  },
  {
    name: "the datastore is away",
    happen: async (stage) => {
      const { pid } = stage.lab.server;
      if (pid === undefined) throw new RangeError("the lab has no server");
      process.kill(pid, "SIGSTOP");
      await sleep(clock, LASTS_MS);
      process.kill(pid, "SIGCONT");
    },
  },
  {
    name: "node3 is cut off from the fabric",
    isolates: "node3",
    happen: async (stage) => {
      await addFault(stage.lab, { kind: "cut", node: "node3" });
      await sleep(clock, LASTS_MS);
      await removeFaults(stage.lab);
    },
  },
  {
    name: "a second operator says rollback",
    happen: async (stage, change) => {
      // Too late is an answer as well: then the change goes on.
      await sayWord(stage.store, { name: change.metadata.name, word: "rollback", clock }).catch(
        () => undefined,
      );
    },
  },
  {
    name: "a second operator patches the pool to a third mode",
    happen: async (stage, change) => {
      const { to } = change.spec;
      await stage.patch(to === "ipip-cross-subnet" ? "vxlan-cross-subnet" : "ipip-cross-subnet");
    },
  },
  {
    name: "a second operator asks for another change",
    happen: async (stage, change) => {
      const spec = {
        pool: change.spec.pool ?? "",
        to: "vxlan-cross-subnet",
        confirmed: true,
      } as const;
      await requestChange(stage.store, { spec, clock, random: Math.random });
    },
  },
];
