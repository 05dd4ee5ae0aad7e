/**
 * The decision process, RFC 4271 section 9.1, over paths to one prefix, each step by its name. Next hops
 * are taken as reachable and equally far (steps a of 9.1.2 and e of 9.1.2.2 belong to who knows the
 * kernel). The best does not depend on the order in which paths came: RFC 5004, which keeps an older
 * external path, is not followed, so that speakers with equal tables choose alike after any history.
 */

import type { DecisionStep } from "../view-types.ts";
import type { Path } from "./path.ts";

/** In their order. */
const steps = [
  "long-lived-stale",
  "local-pref",
  "as-path-length",
  "origin",
  "med",
  "external",
  "router-id",
  "cluster-list-length",
  "peer-address",
  "path-id",
] as const satisfies readonly DecisionStep[];

const stepNumber = Object.fromEntries(steps.map((step, index) => [step, index + 1])) as Record<
  DecisionStep,
  number
>;
const LONG_LIVED_STALE = stepNumber["long-lived-stale"];
const LOCAL_PREF = stepNumber["local-pref"];
const AS_PATH_LENGTH = stepNumber["as-path-length"];
const ORIGIN = stepNumber.origin;
const MED = stepNumber.med;
const EXTERNAL = stepNumber.external;
const ROUTER_ID = stepNumber["router-id"];
const CLUSTER_LIST_LENGTH = stepNumber["cluster-list-length"];
const PEER_ADDRESS = stepNumber["peer-address"];
const PATH_ID = stepNumber["path-id"];

const originRank = { igp: 0, egp: 1, incomplete: 2 } as const;

/**
 * The step that decides between two, as its number in their order: negative when the first is better,
 * positive when the second is, 0 when no step tells them apart. {@link stepOf} gives its name.
 */
export function compare(a: Path, b: Path): number {
  return compareBeforeMed(a, b) || compareMed(a, b) || compareAfterMed(a, b);
}

export function stepOf(compared: number): DecisionStep | undefined {
  return steps[Math.abs(compared) - 1];
}

/** Whether a step says something of a path's worth, or only makes the choice a definite one. */
export function isTieBreak(step: DecisionStep): boolean {
  return stepNumber[step] >= ROUTER_ID;
}

/** The best of one or more. */
export function bestPath(paths: readonly Path[]): Path {
  const first = paths[0]!;
  if (paths.length === 1) return first;
  if (paths.length === 2) return compare(first, paths[1]!) <= 0 ? first : paths[1]!;
  let leader = first;
  for (const path of paths) if (compareBeforeMed(path, leader) < 0) leader = path;
  const lowest = lowestMeds(paths, leader);
  let best: Path | undefined;
  for (const path of paths) {
    if (compareBeforeMed(path, leader) !== 0 || isAboveMed(path, lowest)) continue;
    if (best === undefined || compareAfterMed(path, best) < 0) best = path;
  }
  return best!;
}

/**
 * The lowest MED by neighbouring AS among the paths as good as the leader up to MED; `undefined`: all are 0.
 * Asked of each path, {@link lostTo} looks at all others: a peer may tell hundreds (RFC 7911).
 */
export function lowestMeds(
  paths: readonly Path[],
  leader: Path,
): ReadonlyMap<number, number> | undefined {
  if (paths.every((path) => medOf(path) === 0)) return undefined;
  const lowest = new Map<number, number>();
  for (const path of paths) {
    if (compareBeforeMed(path, leader) !== 0) continue;
    const med = medOf(path);
    const known = lowest.get(path.neighbourAs);
    if (known === undefined || med < known) lowest.set(path.neighbourAs, med);
  }
  return lowest;
}

/** Out by its MED. */
export function isAboveMed(path: Path, lowest: ReadonlyMap<number, number> | undefined): boolean {
  return lowest !== undefined && medOf(path) > lowest.get(path.neighbourAs)!;
}

/** Why a path is not the best of these: the step, and the path it lost to (of MED, another than the best). */
export function lostTo(
  path: Path,
  best: Path,
  paths: readonly Path[],
): { readonly step: DecisionStep; readonly to: Path } | undefined {
  const before = stepOf(compareBeforeMed(path, best));
  if (before !== undefined) return { step: before, to: best };
  const lower = lowerMed(path, best, paths);
  if (lower !== undefined) return { step: "med", to: lower };
  const after = stepOf(compareAfterMed(path, best));
  return after && { step: after, to: best };
}

/** As {@link compare}, by the steps before MED alone: those after it are only asked among equals. */
export function compareBeforeMed(a: Path, b: Path): number {
  if (a.longLivedStale !== b.longLivedStale) {
    return a.longLivedStale ? LONG_LIVED_STALE : -LONG_LIVED_STALE;
  }
  if (a.localPref !== b.localPref) return a.localPref > b.localPref ? -LOCAL_PREF : LOCAL_PREF;
  if (a.asPathLength !== b.asPathLength)
    return sign(a.asPathLength, b.asPathLength, AS_PATH_LENGTH);
  return sign(originRank[a.attributes.origin], originRank[b.attributes.origin], ORIGIN);
}

/** RFC 4271 section 9.1.2.2 c: only between routes from one neighbouring AS; absent is lowest. */
function compareMed(a: Path, b: Path): number {
  return a.neighbourAs === b.neighbourAs ? sign(medOf(a), medOf(b), MED) : 0;
}

function compareAfterMed(a: Path, b: Path): number {
  const [here, there] = [a.source, b.source];
  if (here.peerType !== there.peerType) return here.peerType === "ebgp" ? -EXTERNAL : EXTERNAL;
  return (
    sign(identifierOf(a), identifierOf(b), ROUTER_ID) ||
    sign(clusters(a), clusters(b), CLUSTER_LIST_LENGTH) ||
    sign(here.peerAddress, there.peerAddress, PEER_ADDRESS) ||
    sign(a.pathId, b.pathId, PATH_ID)
  );
}

/** Of the paths as good as the leader up to MED, the one by whose MED this one is out. */
function lowerMed(path: Path, leader: Path, paths: readonly Path[]): Path | undefined {
  let lowest: Path | undefined;
  if (medOf(path) === 0) return undefined;
  for (const other of paths) {
    if (other.neighbourAs !== path.neighbourAs || medOf(other) >= medOf(lowest ?? path)) continue;
    if (compareBeforeMed(other, leader) === 0) lowest = other;
  }
  return lowest;
}

function medOf(path: Path): number {
  return path.attributes.med ?? 0;
}

/** RFC 4456 section 9: ORIGINATOR_ID stands for the identifier. */
function identifierOf({ attributes, source }: Path): number {
  return attributes.originatorId ?? source.peerRouterId;
}

function clusters(path: Path): number {
  return path.attributes.clusterList?.length ?? 0;
}

function sign<T extends number | bigint | string>(a: T, b: T, step: number): number {
  if (a === b) return 0;
  return a < b ? -step : step;
}
