/** From evidence to verdicts: one for each ordered pair of subnets and encapsulation, in words. Pure. */

import type { NodeHost, Verdict } from "../../model/index.ts";
import { type FindingKind, findingKinds, findingOf } from "./finding.ts";
import { type PairFacts, type ProofInput, pairFacts } from "./pair-facts.ts";
import { type Blame, blamed, isStrict } from "./single-node.ts";
import { count, describe, listed } from "./words.ts";

interface Judged {
  readonly facts: PairFacts;
  readonly finding: FindingKind | undefined;
}

interface Context {
  readonly blames: ReadonlyMap<string, Blame>;
  readonly hosts: readonly NodeHost[];
}

/** By subnets; none for a change without a mode. A verdict is good only if all its pairs are. */
export function judgeProof(input: ProofInput): Verdict[] {
  const all = pairFacts(input);
  const context = { blames: blamed(all), hosts: input.hosts ?? [] };
  const groups = Map.groupBy(all, ({ fromSubnet, toSubnet, encapsulation }) =>
    [fromSubnet, toSubnet, encapsulation].join(" "),
  );
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, facts]) =>
      verdict(
        facts.map((one) => ({ facts: one, finding: findingOf(one) })),
        context,
      ),
    );
}

function verdict(pairs: readonly Judged[], context: Context): Verdict {
  const failing = pairs.filter(({ finding }) => finding !== undefined);
  const {
    fromSubnet: from = "",
    toSubnet: to = "",
    encapsulation = "none",
  } = pairs[0]?.facts ?? {};
  return {
    ...{ from, to, encapsulation },
    pairs: pairs.length,
    failed: failing.length,
    ok: failing.length === 0,
    message: failing.length === 0 ? goodWords(pairs) : badWords(pairs, failing, context),
  };
}

function badWords(pairs: readonly Judged[], failing: readonly Judged[], context: Context): string {
  const byKind = Map.groupBy(failing, ({ finding }) => finding as FindingKind);
  const kinds = findingKinds.filter((kind) => byKind.has(kind));
  const words = kinds.map((kind) => kindWords(kind, byKind.get(kind) ?? [], { ...context, pairs }));
  return [...new Set(words)].join("; ");
}

function kindWords(
  kind: FindingKind,
  failing: readonly Judged[],
  { pairs, blames, hosts }: Context & { readonly pairs: readonly Judged[] },
): string {
  const facts = failing.map((one) => one.facts);
  const [first] = facts;
  if (!first) return "";
  const single = singleWords(kind, facts, { blames, hosts });
  if (single !== undefined) return single;
  const { encapsulation, fromSubnet, toSubnet } = first;
  const words = describe({
    kind,
    encapsulation,
    sameSubnet: fromSubnet === toSubnet,
    failing: facts,
  });
  // Only pairs that could show this count: answers pass a stateful filter.
  const able =
    kind === "stateful" ? pairs.filter(({ facts: one }) => one.heard !== undefined) : pairs;
  const where = facts.length < able.length && kind !== "unreported" ? ` (${scope(facts)})` : "";
  const receivers = [...new Set(facts.map(({ to }) => to))];
  const strict = deafKinds.includes(kind) && receivers.every((node) => isStrict(hosts, node));
  return `${words}${where}${strict ? `; strict rp_filter at ${listed(receivers)}` : ""}`;
}

const deafKinds: readonly FindingKind[] = ["dropped-both", "dropped-one-way", "stateful"];

/** All of these fail at single hosts, which fail towards everybody. */
function singleWords(
  kind: FindingKind,
  facts: readonly PairFacts[],
  { blames, hosts }: Context,
): string | undefined {
  const isDeaf = (node: string) => blames.get(node)?.receives === false;
  const isMute = (node: string) => blames.get(node)?.sends === false;
  const unheard = kind === "no-reply" ? ({ from }: PairFacts) => from : ({ to }: PairFacts) => to;
  if (kind !== "no-reply" && !deafKinds.includes(kind)) return undefined;
  const explained = facts.every((one) => isDeaf(unheard(one)) || isMute(one.from));
  if (!explained) return undefined;
  const deaf = [...new Set(facts.map(unheard).filter(isDeaf))];
  const mute = new Set(facts.filter((one) => !isDeaf(unheard(one))).map(({ from }) => from));
  return listed(
    [
      ...deaf.map((node) => deafWords(kind, node, isStrict(hosts, node))),
      ...[...mute].map(
        (node) =>
          `only what ${node} sends does not arrive: its own firewall, or a filter at its port`,
      ),
    ],
    "; ",
  );
}

function deafWords(kind: FindingKind, node: string, strict: boolean): string {
  if (kind === "stateful")
    return `only ${node} takes nothing but replies: its own stateful firewall`;
  const cause = strict ? `strict rp_filter at ${node}, or its own firewall` : "its own firewall";
  return `only ${node} does not receive: ${cause}`;
}

function scope(facts: readonly PairFacts[]): string {
  const [senders, receivers] = [
    new Set(facts.map(({ from }) => from)),
    new Set(facts.map(({ to }) => to)),
  ];
  if (receivers.size === 1 && senders.size > 1) return `only to ${[...receivers][0]}`;
  if (senders.size === 1 && receivers.size > 1) return `only from ${[...senders][0]}`;
  return `only ${listed(facts.map(({ from, to }) => `${from} → ${to}`))}`;
}

function goodWords(pairs: readonly Judged[]): string {
  const results = pairs.flatMap(({ facts }) => facts.result ?? []);
  const sent = results.reduce((sum, { loss }) => sum + (loss?.sent ?? 0), 0);
  const received = results.reduce((sum, { loss }) => sum + (loss?.received ?? 0), 0);
  const sizes = results.flatMap(({ full }) => full?.bytes ?? []);
  const lost =
    sent === received
      ? `${count(sent)} packets, none lost`
      : `${count(sent - received)} of ${count(sent)} lost`;
  const passes = `first packets, ${count(Math.min(...sizes))} bytes with DF, TCP and ${lost}`;
  const unclean = uncleanWays(pairs.map(({ facts }) => facts));
  if (unclean.length === 0) return passes;
  return `${passes}; ${listed(unclean)} was tried only after packets had gone the other way: a filter that lets only replies pass would not show`;
}

/** With a single pair of nodes only one of both can be first, where the outer packet has no ports. */
function uncleanWays(facts: readonly PairFacts[]): string[] {
  const unclean = facts.filter(({ heard }) => heard === undefined);
  if (unclean.length < facts.length && facts.length > 2) return [];
  return unclean.map(({ from, to }) => `${from} → ${to}`);
}
