/** What the guard of a mode change takes for harm. Every figure that decides is here; docs/design/mode-change.md tells why. */

import type { Breach } from "../../model/index.ts";

/** How long things are looked at before anything is judged. */
export const BASELINE_MS = 3_000;
/**
 * How long a step must be without a breach, from when this node and its partners say that they have moved: three
 * knocks that were lost are known after 4.3 s, and the next wave is not to move before.
 */
export const SETTLE_MS = 4_500;
/** Rates of counters are those of so much time. */
export const RATE_WINDOW_MS = 5_000;

/** A path that lost probes before anything moved may go on so: twice as much, and three. */
export const LOSS_FACTOR = 2;
export const LOSS_MARGIN = 3;
/** Answers to knocks are limited by the hosts that give them: one that is missing says nothing. */
export const KNOCKS_IN_A_ROW = 3;

/** A session to a peer that is none of our nodes: so long down, and it is not just coming back. */
export const SESSION_DOWN_MS = 5_000;

/** More than `factor` times what there was before, and `margin` packets in the window, is a breach. */
export interface CounterRule {
  readonly kind: Breach["kind"];
  readonly factor: number;
  readonly margin: number;
  /** What the counter counts, in words. */
  readonly what: string;
}

/** By the name of the counter. */
export const counterRules: Readonly<Record<string, CounterRule>> = {
  "Ip.OutNoRoutes": {
    ...{ kind: "no-route", factor: 2, margin: 10 },
    what: "packets of the host had no route",
  },
  "IpExt.InNoRoutes": {
    ...{ kind: "no-route", factor: 2, margin: 10 },
    what: "packets to forward had no route",
  },
  Ip6OutNoRoutes: {
    ...{ kind: "no-route", factor: 2, margin: 10 },
    what: "IPv6 packets of the host had no route",
  },
  Ip6InNoRoutes: {
    ...{ kind: "no-route", factor: 2, margin: 10 },
    what: "IPv6 packets to forward had no route",
  },
  "TcpExt.IPReversePathFilter": {
    ...{ kind: "kernel-drops", factor: 2, margin: 10 },
    what: "packets were dropped by rp_filter",
  },
  "Ip.InDiscards": {
    ...{ kind: "kernel-drops", factor: 3, margin: 50 },
    what: "packets were dropped on their way in",
  },
  "Ip.OutDiscards": {
    ...{ kind: "kernel-drops", factor: 3, margin: 50 },
    what: "packets were dropped on their way out",
  },
  "Tcp.InCsumErrors": {
    ...{ kind: "kernel-drops", factor: 2, margin: 10 },
    what: "segments had wrong checksums",
  },
  "Udp.InCsumErrors": {
    ...{ kind: "kernel-drops", factor: 2, margin: 10 },
    what: "datagrams had wrong checksums",
  },
  "conntrack.invalid": {
    ...{ kind: "conntrack", factor: 3, margin: 50 },
    what: "packets belonged to no connection that conntrack knows",
  },
  "conntrack.insert_failed": {
    ...{ kind: "conntrack", factor: 3, margin: 50 },
    what: "connections could not be tracked",
  },
  "conntrack.drop": {
    ...{ kind: "conntrack", factor: 2, margin: 10 },
    what: "packets were dropped because the table of connections is full",
  },
};

/** Of every device that carries pods' packets between nodes: name of the counter without the device's. */
export const deviceRules: Readonly<Record<string, CounterRule>> = {
  rxDropped: { kind: "kernel-drops", factor: 3, margin: 50, what: "received packets were dropped" },
  txDropped: { kind: "kernel-drops", factor: 3, margin: 50, what: "packets to send were dropped" },
  rxErrors: { kind: "kernel-drops", factor: 2, margin: 20, what: "received packets were bad" },
  txErrors: { kind: "kernel-drops", factor: 2, margin: 20, what: "packets could not be sent" },
};

export const RETRANSMITTED = "Tcp.RetransSegs";
export const SEGMENTS_SENT = "Tcp.OutSegs";
/** So many segments, and a share of all that is `factor` times what it was and `share` more. */
export const retransmits = { margin: 50, factor: 3, share: 0.05 } as const;

/** All that is to be read from the kernel's text files. */
export const wantedCounters: ReadonlySet<string> = new Set([
  ...Object.keys(counterRules),
  RETRANSMITTED,
  SEGMENTS_SENT,
]);
