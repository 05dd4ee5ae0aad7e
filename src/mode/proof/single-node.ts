/** Whether a single host, and not the fabric, is to blame: all its directions fail, those of its neighbours do not. */

import type { NodeHost } from "../../model/index.ts";
import { type FindingKind, findingOf } from "./finding.ts";
import type { PairFacts } from "./pair-facts.ts";

const dropping: readonly (FindingKind | undefined)[] = [
  "dropped-both",
  "dropped-one-way",
  "stateful",
];

export interface Blame {
  readonly node: string;
  readonly receives: boolean;
  readonly sends: boolean;
}

/**
 * Nodes that hear nobody, or whom nobody hears, while others of their subnet are heard and hear: only where
 * more than one partner says so.
 */
export function blamed(all: readonly PairFacts[]): ReadonlyMap<string, Blame> {
  const blames = new Map<string, Blame>();
  const dropped = new Set(all.filter((facts) => dropping.includes(findingOf(facts))));
  // A pair without a first packet may look well by the answers alone, and says nothing here.
  const telling = all.filter((facts) => dropped.has(facts) || facts.heard === true);
  const into = Map.groupBy(telling, ({ to }) => to);
  const outOf = Map.groupBy(telling, ({ from }) => from);
  for (const node of new Set([...into.keys(), ...outOf.keys()])) {
    const silent = (facts: readonly PairFacts[] | undefined = []) =>
      facts.length > 1 && facts.every((one) => dropped.has(one));
    const receives = !silent(into.get(node));
    const sends = !silent(outOf.get(node));
    if (!receives || !sends) blames.set(node, { node, receives, sends });
  }
  // Where everybody of a subnet is in the same state, it is the subnet's.
  const subnets = new Map(
    telling.flatMap((one) => [
      [one.from, one.fromSubnet],
      [one.to, one.toSubnet],
    ]),
  );
  const members = Map.groupBy(subnets.keys(), (node) => subnets.get(node));
  for (const nodes of members.values()) {
    if (nodes.every((node) => blames.has(node))) for (const node of nodes) blames.delete(node);
  }
  return blames;
}

/** Strict reverse-path filtering where these packets come in: the kernel takes the higher of both values. */
export function isStrict(hosts: readonly NodeHost[], node: string): boolean {
  const filter = hosts.find(({ metadata }) => metadata.name === node)?.status?.rpFilter ?? {};
  return Object.values(filter).includes(1) && filter.all !== 2;
}
