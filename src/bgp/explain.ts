/** Puts into words why a path is the best, or which step it lost by: nothing here runs unless asked. */

import { formatAddress } from "../lib/index.ts";
import { routeDetails } from "./learned-route.ts";
import { lostTo, type Path } from "./rib/index.ts";
import type { DecisionStep, ExplainedPath, Refusal, Verdict } from "./view-types.ts";
import type { PrefixKey } from "./wire/index.ts";

/** A path in an Adj-RIB-in, and what the import made of it. */
export interface KnownPath {
  readonly received: Path;
  /** Absent: it is a candidate. */
  readonly refusal?: Refusal;
  /** Of `import-policy`: which rule. */
  readonly rule?: number;
}

export function explain(options: {
  readonly key: PrefixKey;
  /** What the Loc-RIB chooses from, the best first. */
  readonly candidates: readonly Path[];
  /** Of these, what is used. */
  readonly used: readonly Path[];
  readonly known: readonly KnownPath[];
}): ExplainedPath[] {
  const { key, candidates, used, known } = options;
  const told = candidates.map((path) => ({
    route: routeDetails(key, path),
    verdict: verdictOf(path, candidates, used),
  }));
  const refused = known.flatMap(({ received, refusal, rule }) =>
    refusal === undefined
      ? []
      : [
          {
            route: routeDetails(key, received),
            verdict: { kind: "refused" as const, refusal, ...(rule === undefined ? {} : { rule }) },
          },
        ],
  );
  return [...told, ...refused];
}

type Paths = readonly Path[];

function verdictOf(path: Path, candidates: Paths, used: Paths): Verdict {
  const best = candidates[0]!;
  const lost = path === best ? undefined : lostTo(path, best, candidates);
  if (lost === undefined) return { kind: "best" };
  if (used.includes(path)) return { kind: "equal" };
  const { step, to } = lost;
  const compared = { value: valueAt(step, path), otherValue: valueAt(step, to) };
  return { kind: "lost", step, ...compared, to: to.source.peer };
}

function valueAt(step: DecisionStep, path: Path): number | string {
  const { attributes, source } = path;
  switch (step) {
    case "long-lived-stale":
      return path.longLivedStale ? "stale" : "fresh";
    case "local-pref":
      return path.localPref;
    case "as-path-length":
      return path.asPathLength;
    case "origin":
      return attributes.origin;
    case "med":
      return attributes.med ?? 0;
    case "external":
      return source.peerType;
    case "router-id":
      return formatAddress(attributes.originatorId ?? source.peerRouterId);
    case "cluster-list-length":
      return attributes.clusterList?.length ?? 0;
    case "peer-address":
      return formatAddress(source.peerAddress);
    case "path-id":
      return path.pathId;
  }
}
