/**
 * Which nodes send proof packets to which, the same for whoever asks: agents and driver compute it from the
 * nodes and the seed of the change. All pairs of small clusters; of large ones a sample that covers every pair
 * of subnets and has every node at least three times on either side.
 *
 * Of each pair of nodes one leads: in the first round only it sends, so that a filter that lets only replies
 * pass has seen nothing from the other side. Subnets take turns in leading, and then nodes do.
 */

import { randomNumbers, shuffled } from "./random.ts";

export interface ProofNode {
  readonly name: string;
  /** Of its address: `172.139.20.0/24`. */
  readonly subnet: string;
}

export interface ProbePair {
  readonly from: string;
  readonly to: string;
  /** `from` sends before `to` has sent anything; the other way round it is false. */
  readonly leads: boolean;
}

export interface ProbePairs {
  /** Always both ways. */
  readonly pairs: readonly ProbePair[];
  /** Ordered pairs that there are. */
  readonly possible: number;
  readonly sampled: boolean;
}

export interface ProbePairsOptions {
  readonly nodes: readonly ProofNode[];
  readonly seed: number;
  /** Largest cluster of which all pairs are taken; 64 unless told. */
  readonly allUpTo?: number;
}

export const ALL_PAIRS_UP_TO = 64;
/** Node pairs taken of each pair of subnets, where there are as many: both subnets lead once. */
const PAIRS_PER_SUBNET_PAIR = 2;

/** Two nodes, without an order that means anything. */
type Edge = readonly [ProofNode, ProofNode];

export function probePairs(options: ProbePairsOptions): ProbePairs {
  const { seed, allUpTo = ALL_PAIRS_UP_TO } = options;
  const nodes = [...options.nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
  const random = randomNumbers(seed);
  const sampled = nodes.length > allUpTo;
  const edges = sampled ? sample(shuffled(nodes, random)) : allEdges(nodes);
  const pairs = oriented(shuffled(edges, random)).flatMap(([leader, other]): ProbePair[] => [
    { from: leader.name, to: other.name, leads: true },
    { from: other.name, to: leader.name, leads: false },
  ]);
  return { pairs: pairs.sort(byNames), possible: nodes.length * (nodes.length - 1), sampled };
}

function allEdges(nodes: readonly ProofNode[]): Edge[] {
  return nodes.flatMap((a, index) => nodes.slice(index + 1).map((b): Edge => [a, b]));
}

/** Of shuffled nodes. */
function sample(nodes: readonly ProofNode[]): Edge[] {
  const edges = new Map<string, Edge>();
  const add = (a: ProofNode, b: ProofNode) => {
    if (a !== b) edges.set(a.name < b.name ? `${a.name} ${b.name}` : `${b.name} ${a.name}`, [a, b]);
  };
  const half = Math.floor(nodes.length / 2);
  for (const [index, node] of nodes.entries()) {
    // A ring with chords: three or four partners each, and everybody is connected with everybody.
    add(node, nodes[(index + 1) % nodes.length] ?? node);
    add(node, nodes[(index + half) % nodes.length] ?? node);
  }
  coverSubnets(nodes, edges, add);
  return [...edges.values()];
}

function coverSubnets(
  nodes: readonly ProofNode[],
  edges: ReadonlyMap<string, Edge>,
  add: (a: ProofNode, b: ProofNode) => void,
): void {
  const subnets = Map.groupBy(nodes, ({ subnet }) => subnet);
  const covered = new Map<string, number>();
  for (const [a, b] of edges.values()) {
    const key = subnetPair(a.subnet, b.subnet);
    covered.set(key, (covered.get(key) ?? 0) + 1);
  }
  const names = [...subnets.keys()];
  for (const [index, subnet] of names.entries()) {
    for (const other of names.slice(index)) {
      let missing = PAIRS_PER_SUBNET_PAIR - (covered.get(subnetPair(subnet, other)) ?? 0);
      const members = subnets.get(other) ?? [];
      search: for (const a of subnets.get(subnet) ?? []) {
        for (const b of members) {
          if (missing <= 0) break search;
          const before = edges.size;
          add(a, b);
          missing -= edges.size - before;
        }
      }
    }
  }
}

const subnetPair = (a: string, b: string) => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** Each with its leader first. */
function oriented(edges: readonly Edge[]): Edge[] {
  /** By ordered pair of subnets, and by node: how much more often it has led than been led. */
  const ahead = new Map<string, number>();
  const lead = (key: string, by: number) => ahead.set(key, (ahead.get(key) ?? 0) + by);
  const of = (key: string) => ahead.get(key) ?? 0;
  return edges.map(([a, b]) => {
    const [ab, ba] = [`${a.subnet} ${b.subnet}`, `${b.subnet} ${a.subnet}`];
    const bySubnet = ab === ba ? 0 : of(ab) - of(ba);
    const byNode = of(a.name) - of(b.name);
    const swap = bySubnet > 0 || (bySubnet === 0 && byNode > 0);
    const [leader, other] = swap ? [b, a] : [a, b];
    if (ab !== ba) lead(swap ? ba : ab, 1);
    lead(leader.name, 1);
    lead(other.name, -1);
    return [leader, other];
  });
}

function byNames(a: ProbePair, b: ProbePair): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  return a.to < b.to ? -1 : 1;
}
