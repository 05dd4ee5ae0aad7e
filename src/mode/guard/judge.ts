/** What a node's guard has seen since anything moved, held against what it saw before: what is worse, in words. Pure. */

import type { Breach } from "../../model/index.ts";
import type { Counters } from "./counters.ts";
import type { PathCount } from "./ledger.ts";
import {
  type CounterRule,
  counterRules,
  deviceRules,
  KNOCKS_IN_A_ROW,
  LOSS_FACTOR,
  LOSS_MARGIN,
  RETRANSMITTED,
  retransmits,
  SEGMENTS_SENT,
  SESSION_DOWN_MS,
} from "./thresholds.ts";

/** `echo`: small packets. `full`: as large as pods may send. `knock`: UDP. All are answered by the other kernel. */
export type PathKind = "echo" | "full" | "knock";

export interface PathReport {
  /** The other node, and where it is probed. */
  readonly node: string;
  readonly address: string;
  readonly kind: PathKind;
  /** Before anything was judged, and since. */
  readonly before: PathCount;
  readonly since: PathCount;
  /** What the own kernel, or a host on the way, said about the last probe that failed. */
  readonly said?: string | undefined;
}

/** How far counters rose, and in what time. */
export interface Rise {
  readonly counters: Counters;
  readonly ms: number;
}

/**
 * A session that was Established, is still configured, and is not now, with a peer that is none of our nodes. A
 * node's agent that ends takes its sessions with it and harms nobody, since neighbours keep its routes (RFC
 * 4724): nodes are judged by their paths.
 */
export interface SessionReport {
  readonly peer: string;
  readonly downMs: number;
  readonly info: string;
}

export interface GuardWindow {
  readonly paths: readonly PathReport[];
  /** In the baseline, and in the last seconds. */
  readonly before: Rise;
  readonly now: Rise;
  readonly sessions: readonly SessionReport[];
  /** Nobody has been told to move yet. */
  readonly still: boolean;
  /** What each path had lost by then since the baseline: the move did not do that. */
  readonly lostStill: ReadonlyMap<string, number>;
}

/** A breach, and by what it is the same one when it is seen again with other numbers. */
export interface Finding {
  readonly key: string;
  readonly breach: Breach;
}

export function judgeWindow(window: GuardWindow): Finding[] {
  return [
    ...window.paths.flatMap((path) => judgePath(path, window)),
    ...judgeCounters(window),
    ...judgeRetransmits(window),
    ...judgeSessions(window),
  ];
}

/** Paths of which nothing had come back before: there is nothing to hold them against. */
export function blindPaths(paths: readonly PathReport[]): string[] {
  return paths
    .filter(({ before }) => before.answered === 0)
    .map(({ node, address, kind }) => {
      return `${node} (${address}) did not answer ${kindTexts[kind]} before anything moved: not watched`;
    });
}

const kindTexts: Readonly<Record<PathKind, string>> = {
  echo: "ICMP echo",
  full: "ICMP echo of full size",
  knock: "UDP",
};

/** By what a path is known. */
export function pathKey({ kind, node }: PathReport): string {
  return `path ${kind} ${node}`;
}

function judgePath(
  path: PathReport,
  { still, lostStill }: Pick<GuardWindow, "still" | "lostStill">,
): Finding[] {
  const { node, address, kind, before, since, said } = path;
  if (before.answered === 0) return [];
  const lost = before.lost + (still ? since.lost : (lostStill.get(pathKey(path)) ?? 0));
  const allowed = still
    ? Math.max(LOSS_MARGIN, allowedLoss(before, since))
    : lost - before.lost + allowedLoss({ ...before, lost }, since);
  const harmful = kind === "knock" ? since.lostInARow >= KNOCKS_IN_A_ROW : since.lost > allowed;
  if (!harmful) return [];
  const what = { echo: "packets", full: "packets of full size", knock: "UDP packets" }[kind];
  const parts = [
    `${since.lost} of ${since.sent} ${what} to ${node} (${address}) brought no answer`,
    `for at most ${since.longestGapMs} ms`,
    `before anything moved ${still ? before.lost : lost} of ${before.sent}`,
    ...(said === undefined ? [] : [`last said: ${said}`]),
  ];
  const breach = { kind: "probe-loss", node, message: parts.join("; ") } as const;
  return [{ key: pathKey(path), breach }];
}

function allowedLoss(before: Pick<PathCount, "lost" | "sent">, since: PathCount): number {
  if (before.lost === 0) return 0;
  return LOSS_MARGIN + (LOSS_FACTOR * before.lost * since.sent) / before.sent;
}

function judgeCounters({ before, now }: GuardWindow): Finding[] {
  return Object.entries(now.counters).flatMap(([name, rose]): Finding[] => {
    const rule = ruleOf(name);
    if (!rule) return [];
    const usual = ((before.counters[name] ?? 0) * now.ms) / Math.max(1, before.ms);
    if (rose <= rule.factor * usual + rule.margin) return [];
    const message = `${rose} ${rule.what} in ${seconds(now.ms)} (${name}); usual were ${Math.round(usual)}`;
    return [{ key: `counter ${name}`, breach: { kind: rule.kind, message } }];
  });
}

function ruleOf(name: string): CounterRule | undefined {
  return counterRules[name] ?? deviceRules[name.split(" ")[1] ?? ""];
}

function judgeRetransmits({ before, now }: GuardWindow): Finding[] {
  const again = now.counters[RETRANSMITTED] ?? 0;
  const usual = share(before.counters);
  const is = share(now.counters);
  const { margin, factor, share: more } = retransmits;
  if (again <= margin || is <= factor * usual + more) return [];
  const message =
    `${again} TCP segments of the host, ${percent(is)} of all, were sent again in ${seconds(now.ms)}; ` +
    `usual were ${percent(usual)}`;
  return [{ key: "retransmits", breach: { kind: "retransmits", message } }];
}

function share(counters: Counters): number {
  return (counters[RETRANSMITTED] ?? 0) / Math.max(1, counters[SEGMENTS_SENT] ?? 0);
}

function judgeSessions({ sessions }: GuardWindow): Finding[] {
  return sessions.flatMap(({ peer, downMs, info }): Finding[] => {
    if (downMs < SESSION_DOWN_MS) return [];
    const message = `the BGP session with ${peer} was Established, and has been ${info} for ${seconds(downMs)}`;
    return [{ key: `session ${peer}`, breach: { kind: "bgp", message } }];
  });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function percent(part: number): string {
  return `${Math.round(part * 1000) / 10} %`;
}
