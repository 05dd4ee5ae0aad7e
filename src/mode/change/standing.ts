/** How far the nodes have come with what they were ordered, and why those behind are behind. */

import type { Breach, Node, NodeMode } from "../../model/index.ts";
import { durationText } from "./bounds.ts";
import { notThere } from "./target.ts";
import type { Running, World } from "./types.ts";

/** A node that is waited for, and what it said last. */
export interface Behind {
  readonly node: string;
  readonly why: string;
}

/** Named in a sentence; the rest is counted. */
const MOST_NAMED = 5;

/**
 * Nodes that obey orders: those whose agent has ever spoken. One that was given a wave stays one if its NodeMode
 * is lost. The others cannot be waited for: a trap has told of them before.
 */
export function membersOf({ world, status }: Pick<Running, "world" | "status">): Node[] {
  const waved = new Set(status.waves?.flat());
  return world.nodes.filter(
    ({ metadata }) => world.nodeModes.has(metadata.name) || waved.has(metadata.name),
  );
}

/** Of nodes of the cluster that obey nobody, if there are any. */
export function strangersNote(running: Pick<Running, "world" | "status">): string[] {
  const members = new Set(membersOf(running));
  const strangers = running.world.nodes.filter((node) => !members.has(node));
  if (strangers.length === 0) return [];
  const names = strangers.map(({ metadata }) => metadata.name);
  return [`obey no orders, as no agent of ours speaks for them: ${listText(names)}`];
}

type Question = (node: string) => string | undefined;

/** The members of whom the question has an answer: why they are behind. */
export function behind(running: Running, question: Question): Behind[] {
  return membersOf(running).flatMap(({ metadata: { name } }) => {
    const why = question(name);
    return why === undefined ? [] : [{ node: name, why }];
  });
}

export function isMoved({ status }: Running, node: string): boolean {
  const moved = status.orders?.moved ?? [];
  return moved === "all" || moved.includes(node);
}

export const unsettled =
  ({ change, world }: Running): Question =>
  (node) =>
    notThere(change, world, world.nodeModes.get(node));

export const unproved =
  (running: Running, round: "first" | "full"): Question =>
  (node) => {
    const { world } = running;
    const evidence = world.evidence.get(node)?.status;
    const nodeMode = world.nodeModes.get(node);
    if (evidence === undefined) {
      const word = wordOf(running, nodeMode);
      return word ? whyNot(running, nodeMode, "has written no evidence") : silence(nodeMode);
    }
    if (evidence.proved === round || evidence.proved === "full") return undefined;
    if (evidence.problems.length > 0) return evidence.problems.join("; ");
    return evidence.ready ? "has not finished its packets" : "is not ready to be probed";
  };

export const unwidened =
  (running: Running): Question =>
  (node) => {
    const nodeMode = running.world.nodeModes.get(node);
    const word = wordOf(running, nodeMode);
    if (word?.widened) return undefined;
    return word ? whyNot(running, nodeMode, "does not receive the new way yet") : silence(nodeMode);
  };

/** Of nodes that the orders name, and of all for the blocks that go first. */
export const unmoved =
  (running: Running): Question =>
  (node) => {
    const blocks = running.status.orders?.blocks?.length ?? 0;
    const named = isMoved(running, node);
    if (!named && blocks === 0) return undefined;
    const nodeMode = running.world.nodeModes.get(node);
    const word = wordOf(running, nodeMode);
    if (word === undefined) return silence(nodeMode);
    if (named ? word.moved : (word.blocks ?? 0) >= blocks) return undefined;
    return whyNot(running, nodeMode, "has not moved yet");
  };

/**
 * Of nodes that the orders name, or all while blocks go first: their guard has seen nothing for the settling time
 * of these orders.
 */
export const unquiet =
  (running: Running): Question =>
  (node) => {
    const { world, status } = running;
    // Nobody has moved yet, or every node with some blocks.
    const everybody = status.orders?.moved.length === 0;
    if (!everybody && !isMoved(running, node)) return undefined;
    const guard = world.evidence.get(node)?.status?.guard;
    if (guard === undefined) return "its guard has reported nothing";
    if (guard.step !== status.orders?.step) return "its guard has not looked at this step yet";
    if (guard.quiet) return undefined;
    return ["its guard is not done with this step", ...(guard.blind ?? [])].join("; ");
  };

/** No node is to have moved: it says so, and is where the pool says. */
export const notBack =
  (running: Running): Question =>
  (node) => {
    const nodeMode = running.world.nodeModes.get(node);
    const elsewhere = notThere(running.change, running.world, nodeMode);
    if (elsewhere !== undefined) return elsewhere;
    // Orders are withdrawn only when a mesh that was to end carries its routes again.
    const { mode, waiting = [] } = nodeMode?.status?.mesh ?? {};
    if (mode === "on" && waiting.length > 0) return waiting.join("; ");
    return wordOf(running, nodeMode)?.moved ? "has not gone back yet" : undefined;
  };

/** Orders are withdrawn: the node has seen that too. */
export const unaware =
  (running: Running): Question =>
  (node) => {
    const nodeMode = running.world.nodeModes.get(node);
    if (wordOf(running, nodeMode)) return "has not seen yet that nothing is ordered any more";
    return notThere(running.change, running.world, nodeMode);
  };

/** All breaches, each with the node that saw it. A node that has left has lost its way for that, and others to it. */
export function breachesIn({ evidence, nodes }: Pick<World, "evidence" | "nodes">): string[] {
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  const texts: string[] = [];
  for (const [node, { status }] of evidence) {
    for (const breach of status?.guard?.breaches ?? []) {
      const between = [node, breach.node ?? node];
      if (between.every((name) => names.has(name))) texts.push(breachText(node, breach));
    }
  }
  return texts;
}

function breachText(node: string, { kind, node: other, message }: Breach): string {
  return `${node}${other === undefined ? "" : ` towards ${other}`}: ${kind}: ${message}`;
}

/** `2 of 4 nodes have not moved within 5 min: a: why; b: why`. */
export function laggardsText(
  running: Running,
  { late, what, boundMs }: { late: readonly Behind[]; what: string; boundMs: number },
): string {
  const all = membersOf(running).length;
  const count = `${late.length} of ${all} nodes ${late.length === 1 ? "has" : "have"} not ${what}`;
  return `${count} within ${durationText(boundMs)}: ${namedText(late)}`;
}

export function namedText(late: readonly Behind[]): string {
  const named = late.slice(0, MOST_NAMED).map(({ node, why }) => `${node}: ${why}`);
  const more = late.length - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

export function listText(items: readonly string[]): string {
  const named = items.slice(0, MOST_NAMED);
  const more = items.length - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}

function wordOf({ change }: Running, nodeMode: NodeMode | undefined) {
  return nodeMode?.status?.changes?.[change.metadata.name];
}

function silence(nodeMode: NodeMode | undefined): string {
  if (nodeMode?.status === undefined) return "has published nothing: is its agent running?";
  const { agentVersion } = nodeMode.status;
  return `says nothing of this change: is its agent (${agentVersion}) running, and new enough?`;
}

/** In the node's own words, if it has any. */
function whyNot({ change }: Running, nodeMode: NodeMode | undefined, otherwise: string): string {
  const { pools, changes, failures = [] } = nodeMode?.status ?? {};
  const own = changes?.[change.metadata.name]?.waiting ?? [];
  const pool = pools?.[change.spec.pool ?? ""]?.waiting ?? [];
  return [...new Set([...own, ...pool, ...failures])].join("; ") || otherwise;
}
