/** Whom a node probes: the pairs of the proof, so that what was proved is what is watched. Pure. */

import type { Node, NodeMode } from "../../model/index.ts";
import { proofFamily, proofNodes } from "../proof/nodes.ts";
import { probePairs } from "../proof/pairs.ts";

export function probePartners(options: {
  readonly node: string;
  readonly nodes: readonly Node[];
  readonly nodeModes: readonly NodeMode[];
  readonly seed: number;
}): string[] {
  const { node, nodes, nodeModes, seed } = options;
  const proving = proofNodes(nodes, nodeModes, proofFamily(nodeModes));
  const { pairs } = probePairs({ nodes: [...proving.values()], seed });
  return pairs.filter(({ from }) => from === node).map(({ to }) => to);
}
