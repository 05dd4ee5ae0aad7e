/**
 * Paths that are used together (ECMP): those that only the tie breaks of the decision process tell from
 * the best. The choice does not depend on the order of paths either.
 */

import type { MultipathConfig } from "../types.ts";
import type { AsSegment } from "../wire/index.ts";
import { compare, isTieBreak, lostTo } from "./decision.ts";
import type { Path } from "./path.ts";

/** `paths` with the best first: that, and its equals in the order of the tie breaks. */
export function equalPaths(paths: readonly Path[], config: MultipathConfig): readonly Path[] {
  const equals = paths.filter((path) => isEqual(path, paths, config));
  if (equals.length === 1) return equals;
  const chosen: Path[] = [];
  for (const path of equals.sort(compare)) {
    if (chosen.length === config.maximumPaths) break;
    // Two reflectors tell of one way: a packet has no choice between them.
    if (chosen.every(({ attributes }) => attributes.nextHop !== path.attributes.nextHop)) {
      chosen.push(path);
    }
  }
  return chosen;
}

function isEqual(
  path: Path,
  paths: readonly Path[],
  { relaxAsPath = false }: MultipathConfig,
): boolean {
  const best = paths[0]!;
  const lost = path === best ? undefined : lostTo(path, best, paths);
  if (lost === undefined) return true;
  if (!isTieBreak(lost.step)) return false;
  const [mine, theirs] = [path.attributes, best.attributes];
  if ((mine.med ?? 0) !== (theirs.med ?? 0)) return false;
  return relaxAsPath || sameAsPath(mine.asPath, theirs.asPath);
}

function sameAsPath(a: readonly AsSegment[], b: readonly AsSegment[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  return a.every(({ asns }, i) => {
    const other = b[i]!.asns;
    return asns.length === other.length && asns.every((as, at) => as === other[at]);
  });
}
