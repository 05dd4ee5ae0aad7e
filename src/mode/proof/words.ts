/** Findings in words: what the packets showed, and what probably causes it. */

import type { Encapsulation } from "../../model/index.ts";
import type { FindingKind } from "./finding.ts";
import type { PairFacts } from "./pair-facts.ts";

/** Pairs of two subnets, or of one, that suffer from the same. */
export interface Sufferers {
  readonly kind: FindingKind;
  readonly encapsulation: Encapsulation;
  readonly sameSubnet: boolean;
  readonly failing: readonly PairFacts[];
}

const carried: Readonly<Record<Encapsulation, string>> = {
  none: "packets between pod addresses without encapsulation",
  ipip: "protocol 4 (IP-in-IP)",
  vxlan: "UDP 4789 (VXLAN)",
  "vxlan-v6": "UDP 4789 (VXLAN over IPv6)",
};
const are = (encapsulation: Encapsulation) => (encapsulation === "none" ? "are" : "is");

export const count = (value: number) => value.toLocaleString("en-US");

const total = (facts: readonly PairFacts[], of: (one: PairFacts) => number | undefined) =>
  facts.reduce((sum, one) => sum + (of(one) ?? 0), 0);

export function describe(sufferers: Sufferers): string {
  const { kind, encapsulation, failing } = sufferers;
  const what = `${carried[encapsulation]} ${are(encapsulation)}`;
  const first = total(failing, ({ result }) => result?.first?.sent);
  switch (kind) {
    case "unreported":
      return unreported(failing);
    case "refused":
      return `packets cannot be sent: ${refusals(failing)}`;
    case "dropped-both":
      return `${what} dropped both ways: ${whoDrops(sufferers)}`;
    case "dropped-one-way":
      return `${what} dropped this way, the other way passes: a filter for one direction`;
    case "stateful":
      return `${what} dropped one way: a stateful filter; ${count(first)} of ${count(first)} first packets lost, replies pass`;
    case "no-reply":
      return "packets arrive, their answers do not: see the other direction; nothing more could be measured";
    case "mtu":
      return fullSize(failing);
    case "udp-dropped":
      return "UDP does not pass though TCP does: a filter for UDP";
    case "offload":
      if (failing.some(({ arrives }) => !arrives))
        return "packets checksummed by software pass, those whose checksums are left to a device do not: checksum offload";
      return "TCP stalls though UDP passes: segments checksummed by software pass, offloaded ones do not: checksum offload";
    case "tcp-dropped":
      return "TCP does not pass though UDP does, whoever computes its checksums: a filter for TCP";
    case "tcp-stalled":
      return `TCP passes, but stands still for ${longestStallMs(failing)} ms: large segments are lost, or much is`;
    case "lossy": {
      const sent = total(failing, ({ result }) => result?.loss?.sent);
      const received = total(failing, ({ result }) => result?.loss?.received);
      return `${count(sent - received)} of ${count(sent)} lost`;
    }
    case "unproved":
      return "not proved: the packets of this direction were not sent, or not all of them";
  }
}

function whoDrops({ encapsulation, sameSubnet, failing }: Sufferers): string {
  if (encapsulation !== "none") {
    const which = encapsulation === "ipip" ? "that lets only TCP, UDP and ICMP pass" : "";
    return `a firewall or cloud ${which} drops it`.replaceAll("  ", " ");
  }
  const prohibited = failing.some(({ result }) => result?.error !== undefined);
  if (prohibited) return refusals(failing);
  return sameSubnet
    ? "packets with pod addresses as source are dropped (source check): the switch or cloud filters them"
    : "packets with pod addresses as source are dropped (source check), the router or cloud filters them, or it has no routes to the pods' blocks";
}

function unreported(failing: readonly PairFacts[]): string {
  const words = new Set<string>();
  for (const { from, to, sender, receiver } of failing) {
    for (const [node, evidence] of [
      [from, sender],
      [to, receiver],
    ] as const) {
      if (evidence?.proved === "full") continue;
      const why = evidence?.problems[0];
      words.add(why === undefined ? `${node} has not reported` : `${node} cannot prove: ${why}`);
    }
  }
  return listed([...words].sort(), "; ");
}

const meanings: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, "they reach the node, but its agent does not listen (ECONNREFUSED)"],
  [/EHOSTUNREACH|ENETUNREACH/, "no route, or something on the way says that it is prohibited"],
  [/EPERM|EACCES/, "the host's own firewall refuses them"],
];

function refusals(failing: readonly PairFacts[]): string {
  const said = new Set(failing.flatMap(({ result }) => result?.error ?? []));
  return listed(
    [...said].map((error) => {
      const meaning = meanings.find(([pattern]) => pattern.test(error))?.[1];
      return meaning === undefined ? error : `${meaning}: ${error}`;
    }),
    "; ",
  );
}

function fullSize(failing: readonly PairFacts[]): string {
  const sizes = failing.flatMap(({ result }) => result?.full ?? []);
  const [bytes = 0] = sizes.map((full) => full.bytes).sort((a, b) => b - a);
  const [largest] = sizes.flatMap((full) => full.largest ?? []).sort((a, b) => a - b);
  const passes = largest === undefined ? "" : `: largest ${count(largest)} of ${count(bytes)}`;
  return `full-size packets do not pass${passes} (something between has a smaller MTU)`;
}

function longestStallMs(failing: readonly PairFacts[]): string {
  const stalls = failing.map(({ result }) => result?.tcp?.stallUs ?? 0);
  return count(Math.round(Math.max(...stalls) / 1000));
}

/** The first few, and how many more. */
export function listed(items: readonly string[], separator = ", ", most = 3): string {
  const shown = items.slice(0, most).join(separator);
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}
