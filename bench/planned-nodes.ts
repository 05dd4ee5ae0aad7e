/** Nodes of a simulated cluster that choose by the real planner what they send, each with a host of its own. */

import { formatPrefix, ipv4, prefix4 } from "../src/lib/index.ts";
import type { Choose } from "../src/mode/change/testing/simulated-agent.ts";
import { type Encapsulation, encapsulations, modeFields } from "../src/model/index.ts";
import { type NodeFacts, plan } from "../src/plan/index.ts";
import { poolFact, snapshot } from "../src/plan/testing/snapshot.ts";

const NODES_PER_SUBNET = 50;

interface PlannedNode {
  readonly name: string;
  readonly subnet: string;
  readonly address: string;
  /** Index of its block: /26s of the pool. */
  readonly block: number;
}

function plannedNodes(count: number): PlannedNode[] {
  return Array.from({ length: count }, (_, block) => {
    const subnet = `172.20.${Math.floor(block / NODES_PER_SUBNET)}`;
    const host = (block % NODES_PER_SUBNET) + 1;
    return { name: `node${block}`, subnet, address: `${subnet}.${host}`, block };
  });
}

/** Names by subnet, in the order of their addresses. */
export function subnetsOf(count: number): Record<string, string[]> {
  const groups = Map.groupBy(plannedNodes(count), ({ subnet }) => subnet);
  return Object.fromEntries(
    [...groups].map(([subnet, nodes]) => [subnet, nodes.map(({ name }) => name)]),
  );
}

const blockBase = (block: number) => `10.244.${block >> 2}.${(block & 3) * 64}`;

/** How many plans were made, and how long they took together. */
export interface Planning {
  plans: number;
  tookMs: number;
}

export function planner(count: number, planning: Planning): Choose {
  const nodes = plannedNodes(count);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const blocks = nodes.map(({ name, block }) => ({
    prefix: prefix4(`${blockBase(block)}/26`),
    node: name,
  }));
  const ownerOf = new Map(blocks.map(({ prefix, node }) => [formatPrefix(prefix), node]));
  const prefixOf = new Map(blocks.map(({ prefix, node }) => [node, formatPrefix(prefix)]));
  const learned = nodes.map(({ address, block }) => ({
    prefix: prefix4(`${blockBase(block)}/26`),
    nextHop: ipv4(address),
  }));
  const bare = nodes.map(({ name, address, block }) => ({
    name,
    ipv4: {
      address: ipv4(address),
      prefixLength: 24,
      vxlanTunnelAddress: ipv4(`10.244.${block >> 2}.${(block & 3) * 64 + 1}`),
      vxlanMac: `66:00:00:00:${(block >> 8).toString(16).padStart(2, "0")}:${(block & 255).toString(16).padStart(2, "0")}`,
    },
  }));
  const base = snapshot();
  /** What a node was planned with last: nothing else moves its routes. */
  const plannedWith = new Map<string, string>();
  return ({ node, seen, mode, sends }) => {
    const accepting = [...seen.nodeModes].map(([name, { accepts }]) => `${name}${accepts}`);
    const key = `${mode} ${seen.nodes.size} ${accepting.join()}`;
    if (plannedWith.get(node) === key) return new Map();
    plannedWith.set(node, key);
    const own = byName.get(node);
    if (!own) return new Map();
    const startedMs = performance.now();
    const facts: NodeFacts[] = bare.map((fact) => ({
      ...fact,
      accepts: seen.nodeModes.get(fact.name)?.accepts ?? [],
    }));
    const made = plan({
      ...base,
      ...{ node, nodes: facts, pools: [poolFact(modeFields(mode))], blocks, learned },
      workloads: [],
      host: {
        ...base.host,
        routes: [
          { destination: prefix4("0.0.0.0/0"), gateway: ipv4(`${own.subnet}.254`), device: "eth0" },
          { destination: prefix4(`${own.subnet}.0/24`), device: "eth0" },
        ],
      },
      ipipTunnelAddress: ipv4(blockBase(own.block)),
      vxlanTunnelAddress: ipv4(`10.244.${own.block >> 2}.${(own.block & 3) * 64 + 1}`),
      announced: encapsulations,
      current: new Map([...sends].map(([name, sent]) => [prefixOf.get(name) ?? "", sent])),
    });
    planning.plans++;
    planning.tookMs += performance.now() - startedMs;
    const chosen = new Map<string, Encapsulation>();
    for (const { prefix, chosen: sent } of made.destinations) {
      const owner = ownerOf.get(formatPrefix(prefix));
      if (owner !== undefined && sent !== undefined) chosen.set(owner, sent);
    }
    return chosen;
  };
}
