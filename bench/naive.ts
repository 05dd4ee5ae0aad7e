/**
 * How a mode is changed without care, measured on the same lab: agents and router are dead, so that
 * nothing repairs and no default route rescues a packet; two nodes of one subnet go from IP-in-IP to
 * plain routing by hand.
 */

import { execFileSync } from "node:child_process";
import { killAgent, type LabState } from "../src/lab/index.ts";
import { Traffic, type WindowCounts } from "../src/lab/probe/index.ts";
import { sleep, systemClock } from "../src/lib/index.ts";

export interface NaiveResult {
  readonly deleteThenAdd: WindowCounts;
  readonly deviceFirst: WindowCounts;
}

interface Move {
  readonly namespace: string;
  /** Remote block and the node it is on. */
  readonly block: string;
  readonly gateway: string;
}

/** Seconds apart that uncoordinated nodes act; what a restart of an agent takes is ten times that. */
const APART_MS = 200;

/** Uses the lab up: its agents are gone afterwards. The lab must be in mode ipip. */
export async function measureNaive(lab: LabState, probesPerSecond: number): Promise<NaiveResult> {
  const subnet = lab.nodes[0]?.subnet;
  const nodes = lab.nodes.filter((node) => node.subnet === subnet);
  const pods = lab.pods.filter((pod) => nodes.some((node) => node.name === pod.node));
  for (const { name } of lab.nodes) await killAgent(lab, name);
  if (lab.router.pid !== undefined) process.kill(lab.router.pid, "SIGKILL");
  ip(lab.router.namespace, ["route", "flush", "proto", "bird"]);
  const moves = nodes.flatMap(({ namespace }) =>
    movesOf(
      namespace,
      nodes.map((node) => node.address),
    ),
  );
  const traffic = await Traffic.start({ endpoints: pods, probesPerSecond });
  try {
    const deleteThenAdd = await observe(traffic, async () => {
      for (const move of moves) {
        ip(move.namespace, ["route", "del", move.block]);
        addPlain(move);
      }
    });
    for (const { namespace, block, gateway } of moves) {
      ip(namespace, [
        "route",
        "replace",
        block,
        "via",
        gateway,
        "dev",
        "tunl0",
        "proto",
        "bird",
        "onlink",
      ]);
    }
    const deviceFirst = await observe(traffic, async () => {
      for (const { namespace } of nodes) {
        ip(namespace, ["link", "del", "tunl0"]);
        for (const move of moves.filter((candidate) => candidate.namespace === namespace))
          addPlain(move);
        await sleep(systemClock, APART_MS);
      }
    });
    return { deleteThenAdd, deviceFirst };
  } finally {
    await traffic.stop();
  }
}

async function observe(traffic: Traffic, change: () => Promise<void>): Promise<WindowCounts> {
  await sleep(systemClock, 500);
  await traffic.beginWindow();
  await sleep(systemClock, 300);
  await change();
  await sleep(systemClock, 500);
  return (await traffic.endWindow()).total;
}

/** Blocks of the other nodes of the subnet, from the routes that lead to them. */
function movesOf(namespace: string, nodeAddresses: readonly string[]): Move[] {
  return ip(namespace, ["route", "show", "dev", "tunl0"])
    .split("\n")
    .flatMap((line) => {
      const [, block, gateway] = /^(\S+) via (\S+)/.exec(line) ?? [];
      return block && gateway && nodeAddresses.includes(gateway)
        ? [{ namespace, block, gateway }]
        : [];
    });
}

function addPlain({ namespace, block, gateway }: Move): void {
  ip(namespace, ["route", "add", block, "via", gateway, "dev", "eth0", "proto", "bird"]);
}

function ip(namespace: string, args: readonly string[]): string {
  return execFileSync("nsenter", [`--net=${namespace}`, "ip", ...args], { encoding: "utf8" });
}
