/** Two plans of one node, held against each other. */

import { formatPrefix } from "../../lib/index.ts";
import type { Encapsulation } from "../../model/index.ts";
import {
  chooseDestinations,
  type Destination,
  type Difference,
  diffObjects,
  plan,
  planMtu,
  planObjects,
} from "../../plan/index.ts";
import type { NodeSnapshots } from "./foresee.ts";
import {
  type Counts,
  type Group,
  groups,
  type Move,
  type NodeDetail,
  type NodePreview,
} from "./types.ts";

/** By the destinations alone, which is the cheap part of a plan. O(blocks). */
export function compareDestinations({
  node,
  before,
  after,
  bgpSessions,
}: NodeSnapshots): NodePreview {
  const wanted = chooseDestinations(after);
  return {
    node,
    ...movesOf(chooseDestinations(before), wanted),
    podMtu: { before: planMtu(before).pods, after: planMtu(after).pods },
    bgpSessions,
    waiting: waitingOf(wanted),
  };
}

/** Object by object. O(objects of both plans). */
export function comparePlans(
  { before, after }: Pick<NodeSnapshots, "before" | "after">,
  worded: (line: string) => string,
): NodeDetail {
  const held = planObjects(plan(before)).map(({ key, line }) => ({
    ...{ key, line },
    note: "no longer needed",
  }));
  const differences = diffObjects(planObjects(plan(after)), held).map((difference) => ({
    ...withWords(difference, worded),
    group: groupOf(difference),
  }));
  return { counts: countGroups(differences), differences };
}

function withWords(difference: Difference, worded: (line: string) => string): Difference {
  switch (difference.kind) {
    case "missing":
      return { ...difference, planned: worded(difference.planned) };
    case "unplanned":
      return { ...difference, held: worded(difference.held) };
    case "differs":
      return { ...difference, planned: worded(difference.planned), held: worded(difference.held) };
  }
}

/** By the first word of the line (src/plan/objects.ts). */
const groupByWord: Readonly<Record<string, Group>> = {
  route: "routes",
  rule: "routes",
  link: "devices",
  neighbour: "devices",
  fdb: "devices",
  address: "addresses",
  nat: "firewall",
  accept: "firewall",
  sysctl: "sysctls",
};

function groupOf(difference: Difference): Group {
  const line = difference.kind === "unplanned" ? difference.held : difference.planned;
  return groupByWord[line.split(" ", 1)[0] ?? ""] ?? "devices";
}

function countGroups(differences: readonly (Difference & { readonly group: Group })[]) {
  const counts = noCounts();
  for (const { group, kind } of differences) {
    const { added, removed, changed } = counts[group];
    counts[group] = {
      added: added + Number(kind === "missing"),
      removed: removed + Number(kind === "unplanned"),
      changed: changed + Number(kind === "differs"),
    };
  }
  return counts;
}

export function noCounts(): Record<Group, Counts> {
  const none = { added: 0, removed: 0, changed: 0 };
  return Object.fromEntries(groups.map((group) => [group, none])) as Record<Group, Counts>;
}

function movesOf(
  before: readonly Destination[],
  after: readonly Destination[],
): Pick<NodePreview, "moves" | "unmoved"> {
  const old = new Map(before.map(({ prefix, chosen }) => [formatPrefix(prefix), chosen]));
  const moves = new Map<string, Move>();
  let unmoved = 0;
  for (const { prefix, chosen: to } of after) {
    const from = old.get(formatPrefix(prefix));
    if (to === undefined || from === undefined || from === to) {
      unmoved++;
      continue;
    }
    addMove(moves, { from, to });
  }
  return { moves: [...moves.values()], unmoved };
}

function addMove(
  moves: Map<string, Move>,
  { from, to }: { readonly from: Encapsulation; readonly to: Encapsulation },
): void {
  const key = `${from} ${to}`;
  moves.set(key, { from, to, routes: (moves.get(key)?.routes ?? 0) + 1 });
}

/** Causes named per node; the rest is counted. */
const MOST_CAUSES = 8;

function waitingOf(destinations: readonly Destination[]): string[] {
  const causes = [...new Set(destinations.flatMap(({ waiting }) => waiting ?? []))];
  const more = causes.length - MOST_CAUSES;
  return more > 0 ? [...causes.slice(0, MOST_CAUSES), `and ${more} more`] : causes;
}
