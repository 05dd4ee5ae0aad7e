/** Route programming through the dataplane driver, beside `ip -batch` and BIRD 2 with the same routes. */

import { execFileSync } from "node:child_process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Dataplane, openDataplane } from "../src/dataplane/index.ts";
import {
  formatPrefix,
  type Ipv4,
  ipv4,
  type Prefix4,
  prefix4,
  sleep,
  systemClock,
} from "../src/lib/index.ts";
import { silentLog } from "../src/lib/log/index.ts";
import { type NodePlan, Planner, type RoutePlan, type Snapshot } from "../src/plan/index.ts";
import { settings } from "../src/plan/testing/snapshot.ts";
import { LoopWatch } from "./loop-watch.ts";
import { inNamespace, measureBird, measureIpBatch, type PeerTimes } from "./route-table-peers.ts";
import { type BenchRow, type Budget, benchRow } from "./row.ts";

const ROUTES = 100_000;
const BLOCK_SIZE = 64;
const DEVICE = "eth0";
const NODE = "192.0.2.1";
const GATEWAYS = ["192.0.2.2", "192.0.2.3"] as const;
const MOST_COMPARE_MS = 150;
const MOST_STALL_MS = 20;
const SINGLE_CHANGES = 1000;
/** More than a node without pods has to write. */
const SYSCTLS = 10;
const MOST_SINGLE_P99_MS = 2;

const destinations: readonly Prefix4[] = Array.from({ length: ROUTES }, (_, i) => ({
  address: (ipv4("11.0.0.0") + i * BLOCK_SIZE) as Ipv4,
  length: 26,
}));

export async function run(progress: (line: string) => void): Promise<BenchRow[]> {
  const load = { destinations: destinations.map(formatPrefix), device: DEVICE, gateways: GATEWAYS };
  progress(`ip -batch, ${ROUTES} routes`);
  const ip = await inFreshNamespace("ip", async (name) => measureIpBatch(name, load));
  progress("bird");
  const bird = await inFreshNamespace("bird", (name) => measureBird(name, load));
  progress("ours");
  const { ours, facts } = await inFreshNamespace("ours", measureOurs);
  return [
    ...(["programming", "flip", "removal"] as const).flatMap((phase) => {
      const budget = phase === "removal" ? {} : { mostRatio: 0.999 };
      return [
        versus({ phase, ours, peer: "ip -batch", times: ip }, budget),
        versus({ phase, ours, peer: "bird", times: bird }, budget),
      ];
    }),
    ...facts,
  ];
}

async function inFreshNamespace<T>(suffix: string, act: (name: string) => Promise<T>): Promise<T> {
  const name = `bench-routes-${process.pid}-${suffix}`;
  execFileSync("ip", ["netns", "add", name]);
  try {
    const commands = [
      `link add ${DEVICE} type veth peer name wire`,
      "link set wire up",
      `link set ${DEVICE} up`,
      `address add ${NODE}/24 dev ${DEVICE}`,
    ];
    for (const command of commands) inNamespace(name, ["ip", ...command.split(" ")]);
    return await act(name);
  } finally {
    execFileSync("ip", ["netns", "delete", name]);
  }
}

async function measureOurs(
  name: string,
): Promise<{ readonly ours: PeerTimes; readonly facts: readonly BenchRow[] }> {
  const loop = new LoopWatch();
  const namespace = `/run/netns/${name}`;
  const options = { namespace, clock: systemClock, log: silentLog, ipip: "kernel" } as const;
  const dataplane = await openDataplane(options);
  try {
    const [before, after] = GATEWAYS.map((gateway) => planOf(ipv4(gateway))) as [
      NodePlan,
      NodePlan,
    ];
    const empty = { ...before, routes: [] };
    // Devices, firewall and the code itself are ready before the clock starts.
    await dataplane.apply(empty);
    const stalls: number[] = [];
    const timed = async (driver: Dataplane, plan: NodePlan, changes: number): Promise<number> => {
      await sleep(systemClock, 50);
      loop.takeLongestMs();
      const startedMs = performance.now();
      const actual = await driver.apply(plan);
      const tookMs = performance.now() - startedMs;
      stalls.push(loop.takeLongestMs());
      if (actual.changes !== changes || actual.failures.length > 0) {
        const [failure] = actual.failures;
        throw new Error(`${actual.changes} changes instead of ${changes}: ${failure?.message}`);
      }
      return tookMs;
    };
    const heapBefore = heapBytes();
    const programming = await timed(dataplane, before, ROUTES);
    const heap = (heapBytes() - heapBefore) / ROUTES;
    const compare = await compared(
      () => openDataplane({ ...options, routeCheckMs: 0 }),
      (reading) => timed(reading, before, 0),
    );
    const unchanged = await timed(dataplane, before, 0);
    const flip = await timed(dataplane, after, ROUTES);
    const removal = await timed(dataplane, empty, ROUTES);
    const single = await measureSingle({ dataplane, loop, before: after });
    const [programmingStall, compareStall, unchangedStall, flipStall, removalStall] = stalls;
    return {
      ours: { programming, flip, removal },
      facts: [
        fact("compare with the kernel, nothing to do", "time", compare, {
          mostValue: MOST_COMPARE_MS,
        }),
        fact("compare with the table kept, nothing to do", "time", unchanged),
        fact("programming", "longest stall", programmingStall!, { mostValue: MOST_STALL_MS }),
        fact("compare", "longest stall", Math.max(compareStall!, unchangedStall!), {
          mostValue: MOST_STALL_MS,
        }),
        fact("flip", "longest stall", flipStall!, { mostValue: MOST_STALL_MS }),
        fact("removal", "longest stall", removalStall!, { mostValue: MOST_STALL_MS }),
        bytesFact("memory kept by the driver", heap),
        ...single,
      ],
    };
  } finally {
    loop.stop();
    await dataplane.close();
  }
}

interface SingleInput {
  readonly dataplane: Dataplane;
  readonly loop: LoopWatch;
  /** What the kernel holds: all routes over the second gateway. */
  readonly before: NodePlan;
}

/** Routes that change one by one: from what BGP says, through the planner, to the kernel's answer. */
async function measureSingle({ dataplane, loop, before }: SingleInput): Promise<BenchRow[]> {
  const { current } = await dataplane.apply(before);
  const { host } = await dataplane.read(NODE);
  const snapshot = snapshotOf(host, current);
  const heapBefore = heapBytes();
  await sleep(systemClock, 50);
  loop.takeLongestMs();
  const startedMs = performance.now();
  const planner = await inSteps(Planner.load(snapshot));
  const loadMs = performance.now() - startedMs;
  const loadStallMs = loop.takeLongestMs();
  const heap = (heapBytes() - heapBefore) / ROUTES;
  // The plan of what BGP says is what the kernel holds already, so that changes may be told one by one.
  const settled = await dataplane.apply(planner.plan);
  if (settled.changes >= SYSCTLS) throw new Error(`${settled.changes} changes before the first`);
  await sleep(systemClock, 50);
  loop.takeLongestMs();
  const times: number[] = [];
  for (let i = 0; i < SINGLE_CHANGES; i++) {
    const prefix = destinations[(i * 7919) % ROUTES]!;
    const nextHop = ipv4(GATEWAYS[0]);
    const beganMs = performance.now();
    const change = planner.change(prefix, { blocks: [], learned: [{ prefix, nextHop }] });
    const actual =
      typeof change === "string" ? undefined : await dataplane.applyChanges(planner.plan, [change]);
    times.push(performance.now() - beganMs);
    if (actual?.changes !== 1)
      throw new Error(`change ${i} of ${formatPrefix(prefix)} was not made`);
    // As far apart as events are, at the most.
    await sleep(systemClock, 1);
  }
  const changeStallMs = loop.takeLongestMs();
  times.sort((a, b) => a - b);
  const what = "one changed, event to kernel";
  const at = (share: number) => times[Math.ceil(times.length * share) - 1]!;
  return [
    preciseFact(what, "p50", at(0.5)),
    preciseFact(what, "p99", at(0.99), { mostValue: MOST_SINGLE_P99_MS }),
    preciseFact(what, "longest", at(1)),
    fact(what, "longest stall", changeStallMs, { mostValue: MOST_STALL_MS }),
    fact("all planned anew", "time", loadMs),
    fact("all planned anew", "longest stall", loadStallMs, { mostValue: MOST_STALL_MS }),
    bytesFact("memory kept by the planner", heap),
  ];
}

async function inSteps<T>(steps: Generator<void, T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await nextTurn();
  }
}

/** Two remote nodes, who advertise all blocks between them over BGP; plain routing. */
function snapshotOf(host: Snapshot["host"], current: Snapshot["current"]): Snapshot {
  const node = (name: string, address: string) => ({
    name,
    ipv4: { address: ipv4(address), prefixLength: 24, vxlanMac: "66:00:00:00:00:01" },
    accepts: ["none"] as const,
  });
  return {
    node: "bench",
    nodes: [node("bench", NODE), node("node1", GATEWAYS[0]), node("node2", GATEWAYS[1])],
    pools: [
      {
        name: "pool",
        cidr: prefix4("11.0.0.0/8"),
        ipipMode: "Never",
        vxlanMode: "Never",
        natOutgoing: false,
        loadBalancerOnly: false,
      },
    ],
    blocks: [],
    workloads: [],
    learned: destinations.map((prefix) => ({ prefix, nextHop: ipv4(GATEWAYS[1]) })),
    host,
    settings,
    receive: [],
    announced: ["none"],
    current,
    keepUnplannedRoutes: false,
  };
}

/** With a driver that reads all routes again at every apply; it has done so once already. */
async function compared(
  open: () => Promise<Dataplane>,
  act: (reading: Dataplane) => Promise<number>,
): Promise<number> {
  const reading = await open();
  try {
    await reading.read(NODE);
    return await act(reading);
  } finally {
    await reading.close();
  }
}

function planOf(gateway: Ipv4): NodePlan {
  const routes = destinations.map(
    (destination): RoutePlan => ({
      kind: "unicast",
      destination,
      gateway,
      device: DEVICE,
      scope: "global",
      protocol: 12,
      reason: "bench",
    }),
  );
  return {
    node: "bench",
    uplink: DEVICE,
    addresses: [],
    routes,
    firewall: {
      pools: [],
      masqueradedPools: [],
      excludedHosts: [],
      vxlanPort: 4789,
      tunnels: [],
    },
    sysctls: [],
    destinations: [],
    ownedProtocols: [12, 80],
    workloadDevicePrefix: "cali",
    keepUnplannedRoutes: false,
    mtu: { host: 1500, pods: 1500 },
  };
}

/** Live bytes, those of typed arrays included. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function figure(what: string, metric: string) {
  return { bench: "routes", case: `${ROUTES} routes: ${what}`, metric };
}

function preciseFact(what: string, metric: string, ms: number, budget: Budget = {}): BenchRow {
  const value = Math.round(ms * 1000) / 1000;
  return benchRow({ ...figure(what, metric), value, unit: "ms", peer: "", peerValue: 0 }, budget);
}

function bytesFact(what: string, bytes: number): BenchRow {
  const value = Math.round(bytes);
  const metric = "heap per route";
  return benchRow({ ...figure(what, metric), value, unit: "bytes", peer: "", peerValue: 0 });
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function fact(what: string, metric: string, ms: number, budget: Budget = {}): BenchRow {
  const value = rounded(ms);
  return benchRow({ ...figure(what, metric), value, unit: "ms", peer: "", peerValue: 0 }, budget);
}

interface Comparison {
  readonly phase: keyof PeerTimes;
  readonly ours: PeerTimes;
  readonly peer: string;
  readonly times: PeerTimes;
}

function versus({ phase, ours, peer, times }: Comparison, budget: Budget): BenchRow {
  const value = rounded(ours[phase]);
  const peerValue = rounded(times[phase]);
  return benchRow({ ...figure(phase, "time"), value, unit: "ms", peer, peerValue }, budget);
}
