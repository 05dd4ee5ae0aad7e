/** A lab under traffic, as scenarios need it: patched by the store's client, watched, every probe counted. */

import { openApiClient } from "../../src/datastore/index.ts";

import {
  type LabState,
  type LabUpOptions,
  labDown,
  labUp,
  layout,
  loadLab,
  tunnelDevicesGone,
  watchModes,
} from "../../src/lab/index.ts";
import { type Endpoint, Traffic, type WindowReport } from "../../src/lab/probe/index.ts";
import { type Family, hasCode, sleep, systemClock } from "../../src/lib/index.ts";
import { type IPPool, type ModeName, modeFields, modeName } from "../../src/model/index.ts";
import { openRouteSocket } from "../../src/netlink/index.ts";

export const clock = systemClock;

export interface TrafficWish {
  /** Whose pods send and are sent to; all unless told. */
  readonly nodes?: readonly string[];
  /** Over all pairs together; 2,000 unless told. */
  readonly probesPerSecond?: number;
}

/** Packets of a lab are on their way for less than a millisecond; the demo runs with the usual 5 s. */
const SHORT_DRAIN = "500ms";

export class Stage {
  readonly lab: LabState;
  readonly store: ReturnType<typeof openApiClient>;
  /** Probed beside the pods' own addresses. */
  furtherEndpoints: readonly Endpoint[] = [];

  private constructor(lab: LabState) {
    this.lab = lab;
    this.store = openApiClient({ socketPath: lab.socketPath });
  }

  /** With a short drain unless told: tests wait for the end of it after every change. */
  static async open(name: string, options: Omit<LabUpOptions, "name"> = {}): Promise<Stage> {
    await labDown({ name });
    return new Stage(await labUp({ drain: SHORT_DRAIN, ...options, name }));
  }

  /** The lab as it is, or a new one where there is none. */
  static async reopen(name: string, options: Omit<LabUpOptions, "name"> = {}): Promise<Stage> {
    return new Stage((await loadLab({ name })) ?? (await labUp({ ...options, name })));
  }

  /** Lets go, and leaves the lab running. */
  async leave(): Promise<void> {
    await this.store.close();
  }

  async close(): Promise<void> {
    await this.store.close();
    await labDown({ name: this.lab.name });
  }

  get nodeNames(): string[] {
    return this.lab.nodes.map((node) => node.name);
  }

  /** Changes a pool's mode; a conflicting write by somebody else is repeated. */
  async patch(mode: ModeName, name: string = layout.poolName): Promise<IPPool> {
    for (;;) {
      const pool = await this.store.get("IPPool", name);
      const spec = { ...pool.spec, ...modeFields(mode) };
      try {
        return await this.store.update<"IPPool">({ ...pool, spec });
      } catch (error) {
        if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
      }
    }
  }

  /** Waits until these nodes (all unless told) have realised every pool as it is now. */
  async settled(nodes: readonly string[] = this.nodeNames): Promise<void> {
    const watcher = await watchModes({ store: this.store, nodes, clock });
    try {
      for (const pool of (await this.store.list("IPPool")).items) await watcher.realised(pool);
    } finally {
      await watcher.stop();
    }
  }

  /** Waits until these nodes have moved everything except towards one that does not accept it. */
  async settledExceptTowards(late: string, nodes: readonly string[]): Promise<void> {
    const startedMs = clock.monotonicMs();
    for (;;) {
      const { metadata } = await this.store.get("IPPool", layout.poolName);
      const { items } = await this.store.list("NodeMode");
      const behind = nodes.filter((node) => {
        const pool = items.find((mode) => mode.metadata.name === node)?.status?.pools[
          layout.poolName
        ];
        if (!pool || pool.resourceVersion !== metadata.resourceVersion) return true;
        return pool.waiting.length !== 1 || !pool.waiting[0]?.startsWith(`${late} does not accept`);
      });
      if (behind.length === 0) return;
      if (clock.monotonicMs() - startedMs > 20_000)
        throw new RangeError(`${behind.join(", ")} did not settle`);
      await sleep(clock, 50);
    }
  }

  /** Waits until no kernel holds a tunnel device that the pool does not need. */
  async narrowed(): Promise<void> {
    const { spec } = await this.store.get("IPPool", layout.poolName);
    await tunnelDevicesGone(this.lab, modeName(spec), clock);
  }

  /** Runs `act` under probes between pods and a TCP stream. */
  async underTraffic(
    act: () => Promise<void>,
    { nodes = this.nodeNames, probesPerSecond = 2000 }: TrafficWish = {},
  ): Promise<WindowReport> {
    const pods = this.lab.pods.filter((pod) => nodes.includes(pod.node));
    const six = pods.flatMap(({ name, namespace, address6: address }) =>
      address === undefined ? [] : [{ name: `${name}/6`, namespace, address }],
    );
    const endpoints = [...pods, ...six, ...this.furtherEndpoints];
    const from = pods[0]?.name ?? "";
    const to = pods.at(-1)?.name ?? "";
    const traffic = await Traffic.start({ endpoints, probesPerSecond, stream: { from, to } });
    try {
      await sleep(clock, 300);
      await traffic.beginWindow();
      await sleep(clock, 200);
      await act();
      await sleep(clock, 500);
      return await traffic.endWindow();
    } finally {
      await traffic.stop();
    }
  }

  /** Routes of ours on a node, as `ip route` or `ip -6 route` prints the parts that matter, sorted. */
  async routes(node: string, family: Family = 4): Promise<string[]> {
    const namespace = this.lab.nodes.find(({ name }) => name === node)?.namespace;
    if (!namespace) throw new RangeError(`no node ${node}`);
    const { formatRoute } = await import("../../src/netlink/index.ts");
    const socket = openRouteSocket({ namespace, dumpRetries: 10 });
    try {
      const names = new Map((await socket.links()).map((link) => [link.index, link.name]));
      const routes = await socket.routes({ family });
      return routes
        .filter((route) => route.protocol === 12 || route.protocol === 80)
        .map((route) => formatRoute(route, (index) => names.get(index) ?? `if${index}`).trim())
        .sort();
    } finally {
      socket.close();
    }
  }

  /** Nobody drives a change of that name for an hour: orders can be given by hand. Before the change is made. */
  async driveByHand(change: string): Promise<void> {
    await this.store.create<"Lease">({
      apiVersion: "switchyard.io/v1",
      kind: "Lease",
      metadata: { name: change },
      spec: { holderIdentity: "by hand", leaseDurationSeconds: 3600 },
    });
  }

  async agentPid(node: string): Promise<number> {
    const lab = await loadLab({ name: this.lab.name });
    const pid = lab?.nodes.find(({ name }) => name === node)?.pid;
    if (pid === undefined) throw new RangeError(`the agent of ${node} does not run`);
    return pid;
  }

  /** Block of a node, from its affinity. */
  async blockOf(node: string, family: Family = 4): Promise<string> {
    const { items } = await this.store.list("BlockAffinity");
    const found = items.find(
      ({ spec }) => spec.node === node && spec.cidr.includes(":") === (family === 6),
    );
    if (!found) throw new RangeError(`node ${node} has no block`);
    return found.spec.cidr;
  }
}

/** What a hitless act must show. */
export function losses(report: WindowReport): {
  lost: number;
  tcpResets: number;
  where: readonly string[];
} {
  return {
    lost: report.total.lost,
    tcpResets: report.stream?.resets ?? 0,
    where: report.troubled
      .filter((pair) => pair.lost > 0)
      .map((pair) => `${pair.from} -> ${pair.to}: ${pair.lost}`),
  };
}

export const nothingLost = { lost: 0, tcpResets: 0, where: [] };
