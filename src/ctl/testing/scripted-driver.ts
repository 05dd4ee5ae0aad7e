/** Stands in for agents: a cluster in the datastore, and a driver that writes what the test says. */

import { type Datastore, openApiClient } from "../../datastore/index.ts";
import { hasCode, sleep, systemClock } from "../../lib/index.ts";
import type { ModeChange, ModeChangeStatus, ModeEvidenceStatus } from "../../model/index.ts";
import { nodeModeOf, nodeOf } from "./change-facts.ts";
import { openSession, poolText, type Session } from "./session.ts";

export interface Cluster {
  readonly session: Session;
  readonly store: Datastore;
  /** Resolves with the first change that is not over and has no status yet. */
  asked(): Promise<ModeChange>;
  write(name: string, status: Partial<ModeChangeStatus>): Promise<ModeChange>;
  see(change: string, node: string, status: ModeEvidenceStatus): Promise<void>;
  /** Resolves when the change satisfies it. */
  until(name: string, holds: (change: ModeChange) => boolean): Promise<ModeChange>;
  close(): Promise<void>;
}

export async function openCluster({ agents = true } = {}): Promise<Cluster> {
  const session = await openSession();
  const store = openApiClient({ socketPath: session.socketPath });
  const text = [
    poolText("pods", "{cidr: 10.244.0.0/16, ipipMode: Always}"),
    poolText("six", "{cidr: 'fd00::/64'}"),
  ].join("---\n");
  const { status, stderr } = await session.run("create", "-f", session.file("pools.yaml", text));
  if (status !== 0) throw new Error(stderr);
  for (const [index, name] of ["node1", "node2"].entries()) {
    await store.create(nodeOf(name, index));
    if (!agents) continue;
    await store.create<"NodeMode">({
      apiVersion: "switchyard.io/v1",
      kind: "NodeMode",
      metadata: { name },
      spec: {},
      status: nodeModeOf(undefined),
    });
  }
  return {
    session,
    store,
    asked: () => eventually(async () => (await fresh(store))[0]),
    write: (name, status) => write(store, { name, status }),
    until: (name, holds) =>
      eventually(async () => {
        const change = await store.get("ModeChange", name);
        return holds(change) ? change : undefined;
      }),
    async see(change, node, status) {
      const metadata = { name: `${change}.${node}` };
      const apiVersion = "switchyard.io/v1";
      const spec = { change, node };
      await store.create<"ModeEvidence">({
        apiVersion,
        kind: "ModeEvidence",
        metadata,
        spec,
        status,
      });
    },
    async close() {
      await store.close();
      await session.close();
    },
  };
}

async function fresh(store: Datastore): Promise<readonly ModeChange[]> {
  const { items } = await store.list("ModeChange");
  return items.filter(({ status }) => status === undefined);
}

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (systemClock.monotonicMs() - startedMs > 10_000) throw new Error("it did not happen");
    await sleep(systemClock, 10);
  }
}

async function write(
  store: Datastore,
  { name, status }: { readonly name: string; readonly status: Partial<ModeChangeStatus> },
): Promise<ModeChange> {
  const at = new Date(systemClock.now()).toISOString();
  for (;;) {
    const change = await store.get("ModeChange", name);
    const before = change.status ?? {
      phase: "Planning",
      phaseSince: at,
      from: "ipip",
      history: [],
    };
    const phase = status.phase ?? before.phase;
    const message = status.reason ?? `${phase} it is`;
    const history = [...before.history, { at, phase, message }];
    const next = { ...before, ...status, phase, phaseSince: at, history };
    try {
      return await store.update<"ModeChange">({ ...change, status: next });
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}
