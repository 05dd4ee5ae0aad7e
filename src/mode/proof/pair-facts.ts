/** What was seen of one ordered pair of nodes, put together from what both ends wrote. */

import type {
  Encapsulation,
  ModeChange,
  ModeEvidence,
  ModeEvidenceStatus,
  Node,
  NodeHost,
  NodeMode,
  ProofResult,
} from "../../model/index.ts";
import { proofFamily, proofNodes, wornBetween } from "./nodes.ts";
import { probePairs } from "./pairs.ts";

export interface ProofInput {
  readonly change: ModeChange;
  readonly nodes: readonly Node[];
  readonly nodeModes: readonly NodeMode[];
  /** Of this change; others are left out. */
  readonly evidence: readonly ModeEvidence[];
  /** What is known of the hosts: names causes, decides nothing. */
  readonly hosts?: readonly NodeHost[];
}

export interface PairFacts {
  readonly from: string;
  readonly to: string;
  readonly fromSubnet: string;
  readonly toSubnet: string;
  readonly encapsulation: Encapsulation;
  /** `from` was to send before `to` did. */
  readonly leads: boolean;
  readonly sender: ModeEvidenceStatus | undefined;
  readonly receiver: ModeEvidenceStatus | undefined;
  readonly result: ProofResult | undefined;
  /** Of the first packets: undefined if none were sent. */
  readonly heard: boolean | undefined;
  /** Anything of `from` has ever come to `to`, by itself. */
  readonly arrives: boolean;
  /** Answers of `from` have come to `to`. */
  readonly answersArrive: boolean;
  /** Anything of `to` has ever come to `from`. */
  readonly back: boolean;
}

export function pairFacts(input: ProofInput): PairFacts[] {
  const { change, nodes, nodeModes, evidence } = input;
  const { to: mode, seed = 0 } = change.spec;
  if (mode === undefined) return [];
  const proving = proofNodes(nodes, nodeModes, proofFamily(nodeModes));
  const seen = new Map(
    evidence
      .filter(({ spec }) => spec.change === change.metadata.name)
      .map(({ spec, status }) => [spec.node, status]),
  );
  const resultOf = (from: string, to: string) =>
    seen.get(from)?.results.find(({ node }) => node === to);
  const { pairs } = probePairs({ nodes: [...proving.values()], seed });
  return pairs.flatMap(({ from, to, leads }): PairFacts[] => {
    const [a, b] = [proving.get(from), proving.get(to)];
    if (!a || !b) return [];
    const [sender, receiver] = [seen.get(from), seen.get(to)];
    const [result, reverse] = [resultOf(from, to), resultOf(to, from)];
    const came = (by: ModeEvidenceStatus | undefined, node: string) =>
      (by?.heard.includes(node) || by?.reached?.includes(node)) ?? false;
    const answered = (one: ProofResult | undefined) =>
      (one?.both?.received ?? 0) > 0 || (one?.loss?.received ?? 0) > 0;
    return [
      {
        ...{ from, to, leads, sender, receiver, result },
        fromSubnet: a.subnet,
        toSubnet: b.subnet,
        encapsulation: result?.encapsulation ?? wornBetween(mode, a, b),
        heard: result?.first && result.first.sent > 0 ? receiver?.heard.includes(from) : undefined,
        arrives: came(receiver, from) || answered(result),
        answersArrive: answered(reverse),
        back: came(sender, to) || answered(reverse) || answered(result),
      },
    ];
  });
}
