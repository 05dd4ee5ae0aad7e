/**
 * In which order nodes move. Seeded, so that it can be told before and repeated. The canary takes one node of each
 * subnet in turn, so that it is seen between subnets too; after it every wave takes its share of every subnet, and,
 * where it need not, never the last of a subnet together with all others of it.
 */

import { formatPrefix, maskPrefix, parsePrefixOrAddress } from "../../lib/index.ts";
import type { ModeChangeSpec, Node } from "../../model/index.ts";

/** A share of the nodes, where the change does not say. */
const CANARY_SHARE = 50;
const WAVE = "25%";

/** The first is the canary, empty if there is none; the others are not. */
export function planWaves(
  nodes: readonly Node[],
  { canary, wave = WAVE, seed = 0 }: Pick<ModeChangeSpec, "canary" | "wave" | "seed">,
): string[][] {
  const random = seeded(seed);
  const subnets = new Map<string, string[]>();
  for (const node of [...nodes].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const subnet = subnetOf(node);
    const members = subnets.get(subnet);
    if (members) members.push(node.metadata.name);
    else subnets.set(subnet, [node.metadata.name]);
  }
  const groups = shuffled([...subnets.values()], random).map((group) => shuffled(group, random));
  const subnetOfNode = new Map(groups.flatMap((group) => group.map((node) => [node, group])));
  const rest = spread(groups, random);
  const take = (order: readonly string[], count: number) => {
    const taken = choose(order, count, subnetOfNode);
    for (const node of taken) rest.splice(rest.indexOf(node), 1);
    return taken;
  };
  const first = canary ?? Math.ceil(nodes.length / CANARY_SHARE);
  const waves = [take(inTurn(groups), first)];
  const size = waveSize(wave, nodes.length);
  while (rest.length > 0) waves.push(take([...rest], size));
  return waves;
}

function waveSize(wave: string, nodes: number): number {
  const amount = Number.parseInt(wave, 10);
  return wave.endsWith("%") ? Math.max(1, Math.ceil((nodes * amount) / 100)) : amount;
}

/** `count` nodes in this order, but never all of a subnet of several, unless there are no others. */
function choose(
  order: readonly string[],
  count: number,
  subnetOfNode: ReadonlyMap<string, readonly string[]>,
): string[] {
  const taken: string[] = [];
  const passedOver: string[] = [];
  const inSubnet = new Map<readonly string[], number>();
  for (const node of order) {
    if (taken.length === count) break;
    const subnet = subnetOfNode.get(node) ?? [];
    const already = inSubnet.get(subnet) ?? 0;
    if (subnet.length > 1 && already === subnet.length - 1) {
      passedOver.push(node);
      continue;
    }
    inSubnet.set(subnet, already + 1);
    taken.push(node);
  }
  return [...taken, ...passedOver.slice(0, count - taken.length)];
}

/** One of each group, then the next of each. */
function inTurn(groups: readonly (readonly string[])[]): string[] {
  const most = Math.max(0, ...groups.map((group) => group.length));
  return Array.from({ length: most }, (_, i) => groups.flatMap((group) => group[i] ?? [])).flat();
}

/** Every stretch of the result holds of every group what its share of the whole is. */
function spread(groups: readonly (readonly string[])[], random: () => number): string[] {
  return groups
    .flatMap((group) => {
      const offset = random();
      return group.map((node, i) => ({ node, at: (i + offset) / group.length }));
    })
    .sort((a, b) => a.at - b.at)
    .map(({ node }) => node);
}

/** Of the first address a node has, with its mask; nodes without one are together. */
function subnetOf({ spec }: Node): string {
  const text = spec.bgp?.ipv4Address ?? spec.bgp?.ipv6Address ?? "";
  const prefix = parsePrefixOrAddress(text);
  return prefix ? formatPrefix(maskPrefix(prefix)) : "";
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
