/**
 * What a change would do to every node: the plan that its agent has now against the plan that it will have, both by
 * the agents' own conversion and planner. Pure; O(nodes x (nodes + blocks)): on a thousand nodes many seconds, so it
 * is for commands and not for an agent's loop.
 */

import { errorText, parsePrefix, prefixFamily } from "../../lib/index.ts";
import { planWaves } from "../change/waves.ts";
import { proofNodes } from "../proof/nodes.ts";
import { probePairs } from "../proof/pairs.ts";
import { compareDestinations, comparePlans, noCounts } from "./compare.ts";
import { expectedDuration } from "./duration.ts";
import { foresee } from "./foresee.ts";
import type {
  ChangePreview,
  Counts,
  Group,
  Move,
  NodePreview,
  PreviewInput,
  ProofPreview,
} from "./types.ts";

const DETAILED_NODES = 16;

export function previewChange(input: PreviewInput): ChangePreview {
  const { spec, view, detailedNodes = DETAILED_NODES } = input;
  const { snapshots, worded } = foresee(input);
  const nodes: NodePreview[] = [];
  const unforeseen: { node: string; why: string }[] = [];
  for (const found of snapshots) {
    if ("why" in found) {
      unforeseen.push(found);
      continue;
    }
    try {
      const detail = nodes.length < detailedNodes ? comparePlans(found, worded) : undefined;
      nodes.push({ ...compareDestinations(found), ...(detail && { detail }) });
    } catch (error) {
      unforeseen.push({ node: found.node, why: errorText(error) });
    }
  }
  const agents = new Set(view.nodeModes.map(({ metadata }) => metadata.name));
  const members = view.nodes.filter(({ metadata }) => agents.has(metadata.name));
  const proof = spec.skipProof ? undefined : proofOf(input);
  const waves = spec.proveOnly ? [] : planWaves(members, spec);
  const proveOnly = spec.proveOnly ?? false;
  return {
    nodes,
    unforeseen,
    moves: sumMoves(nodes),
    counts: sumCounts(nodes),
    ...(proof && { proof }),
    waves,
    duration: expectedDuration({ nodes: members.length, proof, waves, proveOnly }),
  };
}

function proofOf({ spec, view }: PreviewInput): ProofPreview {
  const cidr = parsePrefix(
    view.pools.find(({ metadata }) => metadata.name === spec.pool)?.spec.cidr ?? "",
  );
  const family = cidr ? prefixFamily(cidr) : 4;
  const nodes = proofNodes(view.nodes, view.nodeModes, family);
  const { pairs, possible, sampled } = probePairs({
    nodes: [...nodes.values()],
    seed: spec.seed ?? 0,
  });
  const subnet = (name: string) => nodes.get(name)?.subnet ?? "";
  const subnetPairs = new Set(pairs.map(({ from, to }) => `${subnet(from)} ${subnet(to)}`));
  return { pairs: pairs.length, possible, sampled, subnetPairs: subnetPairs.size };
}

function sumMoves(nodes: readonly NodePreview[]): ChangePreview["moves"] {
  const sums = new Map<string, Move & { readonly nodes: number }>();
  for (const { from, to, routes } of nodes.flatMap(({ moves }) => moves)) {
    const key = `${from} ${to}`;
    const sum = sums.get(key);
    sums.set(key, {
      ...{ from, to },
      routes: routes + (sum?.routes ?? 0),
      nodes: 1 + (sum?.nodes ?? 0),
    });
  }
  return [...sums.values()].sort((a, b) => b.routes - a.routes);
}

function sumCounts(nodes: readonly NodePreview[]): Record<Group, Counts> {
  const sums = noCounts();
  for (const { detail } of nodes) {
    for (const [group, { added, removed, changed }] of Object.entries(detail?.counts ?? {})) {
      const sum = sums[group as Group];
      sums[group as Group] = {
        added: sum.added + added,
        removed: sum.removed + removed,
        changed: sum.changed + changed,
      };
    }
  }
  return sums;
}
