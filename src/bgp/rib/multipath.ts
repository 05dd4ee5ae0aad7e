/**
 * Paths that are used together (ECMP): those that only the tie breaks of the decision process tell from
 * the best. The choice does not depend on the order of paths either.
 */

import type { MultipathConfig } from "../types.ts";
import type { AsSegment } from "../wire/index.ts";
import { compare, isAboveMed, isTieBreak, lowestMeds, stepOf } from "./decision.ts";
import type { Path } from "./path.ts";

/** `paths` with the best first: that, and its equals in the order of the tie breaks. */
export function equalPaths(paths: readonly Path[], config: MultipathConfig): readonly Path[] {
  const best = paths[0]!;
  const lowest = lowestMeds(paths, best);
  const equals = paths.filter((path) => !isAboveMed(path, lowest) && isEqual(path, best, config));
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

function isEqual(path: Path, best: Path, { relaxAsPath = false }: MultipathConfig): boolean {
  if (path === best) return true;
  const step = stepOf(compare(path, best));
  if (step !== undefined && !isTieBreak(step)) return false;
  const [mine, theirs] = [path.attributes, best.attributes];
  // Of another neighbouring AS it is not compared by MED.
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
