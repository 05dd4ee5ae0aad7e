/**
 * The decision process, RFC 4271 section 9.1, over paths to one prefix. Next hops are taken as
 * reachable and equally far (steps a of 9.1.2 and e of 9.1.2.2 belong to who knows the kernel).
 */

import type { Path } from "./path.ts";

const originRank = { igp: 0, egp: 1, incomplete: 2 } as const;

/** The best of one or more. */
export function bestPath(paths: readonly Path[]): Path {
  let left = keepLowest(paths, (path) => -path.localPref);
  left = keepLowest(left, (path) => path.asPathLength);
  left = keepLowest(left, (path) => originRank[path.attributes.origin]);
  left = dropWorseMed(left);
  left = keepLowest(left, (path) => (path.source.peerType === "ebgp" ? 0 : 1));
  // RFC 4456 section 9: ORIGINATOR_ID stands for the identifier, then the shorter CLUSTER_LIST.
  left = keepLowest(left, (path) => path.attributes.originatorId ?? path.source.peerRouterId);
  left = keepLowest(left, (path) => path.attributes.clusterList?.length ?? 0);
  return left.reduce((a, b) => (b.source.peerAddress < a.source.peerAddress ? b : a));
}

function keepLowest(paths: readonly Path[], rank: (path: Path) => number): readonly Path[] {
  if (paths.length === 1) return paths;
  let lowest = Number.POSITIVE_INFINITY;
  for (const path of paths) lowest = Math.min(lowest, rank(path));
  return paths.filter((path) => rank(path) === lowest);
}

/** RFC 4271 section 9.1.2.2 c: only between routes from one neighbouring AS; absent is lowest. */
function dropWorseMed(paths: readonly Path[]): readonly Path[] {
  if (paths.length === 1) return paths;
  const med = (path: Path) => path.attributes.med ?? 0;
  return paths.filter(
    (path) =>
      !paths.some((other) => other.neighbourAs === path.neighbourAs && med(other) < med(path)),
  );
}
