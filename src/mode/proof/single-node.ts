/** Whether a single host, and not the fabric, is to blame: what it sends or is sent fails, that of its neighbours does not. */

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
 * Nodes that hear nobody, or whom nobody hears, while between the same subnets others are heard: only where more
 * than one partner says so.
 */
export function blamed(all: readonly PairFacts[]): ReadonlyMap<string, Blame> {
  const seen = all.map((facts) => ({ facts, finding: findingOf(facts) }));
  const groups = Map.groupBy(seen, subnetsOf);
  const ends = {
    from: Map.groupBy(seen, ({ facts }) => facts.from),
    to: Map.groupBy(seen, ({ facts }) => facts.to),
  };
  const blames = new Map<string, Blame>();
  for (const node of ends.from.keys()) {
    const receives = !isSilent(node, ends.to.get(node) ?? [], groups);
    const sends = !isSilent(node, ends.from.get(node) ?? [], groups);
    if (!receives || !sends) blames.set(node, { node, receives, sends });
  }
  return blames;
}

interface Seen {
  readonly facts: PairFacts;
  readonly finding: FindingKind | undefined;
}

const subnetsOf = ({ facts }: Seen) => `${facts.fromSubnet} ${facts.toSubnet}`;

/** All of its own pairs are dropped, and between the same subnets others do better, where there are others. */
function isSilent(
  node: string,
  own: readonly Seen[],
  groups: ReadonlyMap<string, readonly Seen[]>,
): boolean {
  const failing = own.filter(({ finding }) => dropping.includes(finding));
  if (failing.length < 2) return false;
  // What replies pass says nothing of a filter that lets replies pass.
  const stateful = failing.every(({ finding }) => finding === "stateful");
  const passes = ({ facts, finding }: Seen) =>
    !dropping.includes(finding) && (facts.heard === true || (!stateful && facts.arrives));
  if (own.some(passes)) return false;
  const contrasts = [...new Set(failing.map(subnetsOf))].map((subnets) => {
    const isOther = ({ facts: { from, to } }: Seen) => from !== node && to !== node;
    const group = groups.get(subnets) ?? [];
    if (!group.some(isOther)) return undefined;
    return group.some((one) => isOther(one) && passes(one));
  });
  return contrasts.includes(true) && !contrasts.includes(false);
}

/** Strict reverse-path filtering where these packets come in: the kernel takes the higher of both values. */
export function isStrict(hosts: readonly NodeHost[], node: string): boolean {
  const filter = hosts.find(({ metadata }) => metadata.name === node)?.status?.rpFilter ?? {};
  return Object.values(filter).includes(1) && filter.all !== 2;
}
