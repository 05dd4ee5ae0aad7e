/** What is wrong with one ordered pair of nodes, if anything. */

import type { PairFacts } from "./pair-facts.ts";
import { proofThresholds } from "./thresholds.ts";

/** Gravest first: where pairs of two subnets suffer from several, this order tells them. */
export const findingKinds = [
  "unreported",
  "refused",
  "dropped-both",
  "dropped-one-way",
  "stateful",
  "udp-dropped",
  "no-reply",
  "mtu",
  "offload",
  "tcp-dropped",
  "tcp-stalled",
  "lossy",
  "unproved",
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** Undefined: everything that was to be shown has been shown. */
export function findingOf(facts: PairFacts): FindingKind | undefined {
  const { sender, receiver, result, encapsulation, leads } = facts;
  if (!sender || !receiver) return "unreported";
  if (sender.proved !== "full" || receiver.proved !== "full") return "unreported";
  if (result?.error !== undefined) return "refused";
  if (!result?.both) return "unproved";
  const first = firstFinding(facts);
  if (first) return first;
  if (result.both.received === 0) return "no-reply";
  // Where the outer packet has no ports, only one side can be first; elsewhere both are.
  if (!result.first && (leads || encapsulation !== "ipip")) return "unproved";
  return amountFinding(facts);
}

function firstFinding(facts: PairFacts): FindingKind | undefined {
  const { heard, arrives, answersArrive, back, result } = facts;
  const { completed, software } = result?.tcp ?? {};
  if (!arrives && completed) return "udp-dropped";
  // Devices compute the checksums of UDP, too.
  if (!arrives && (software?.received ?? 0) > 0) return "offload";
  if (heard === false && (arrives || answersArrive)) return "stateful";
  if (arrives) return undefined;
  return back ? "dropped-one-way" : "dropped-both";
}

/** What small single packets do not show. */
function amountFinding({ result }: PairFacts): FindingKind | undefined {
  const { full, tcp, loss } = result ?? {};
  if (!full || !tcp || !loss || loss.sent === 0) return "unproved";
  if (!full.arrived) return "mtu";
  const software = tcp.software !== undefined && tcp.software.received > 0;
  if (!tcp.completed) return software ? "offload" : "tcp-dropped";
  if (tcp.stallUs > proofThresholds.tcpStallUs) return software ? "offload" : "tcp-stalled";
  const lost = loss.sent - loss.received;
  return lost * 1000 > loss.sent * proofThresholds.lostPerThousand ? "lossy" : undefined;
}
