/** RTAX_*: what TCP and the path are told of a route (RTA_METRICS, linux/rtnetlink.h). */

import { attributeTable } from "./attribute.ts";
import { bool32, text, u32 } from "./codecs.ts";
import { defined } from "./header.ts";
import type { RouteMetrics } from "./types-route.ts";

export const routeMetrics = attributeTable("RTAX", {
  lock: [1, "RTAX_LOCK", u32],
  mtu: [2, "RTAX_MTU", u32],
  window: [3, "RTAX_WINDOW", u32],
  /** In eighths of a millisecond. */
  rtt: [4, "RTAX_RTT", u32],
  /** In quarters of a millisecond. */
  rttvar: [5, "RTAX_RTTVAR", u32],
  ssthresh: [6, "RTAX_SSTHRESH", u32],
  cwnd: [7, "RTAX_CWND", u32],
  advmss: [8, "RTAX_ADVMSS", u32],
  reordering: [9, "RTAX_REORDERING", u32],
  hopLimit: [10, "RTAX_HOPLIMIT", u32],
  initcwnd: [11, "RTAX_INITCWND", u32],
  features: [12, "RTAX_FEATURES", u32],
  rtoMinMs: [13, "RTAX_RTO_MIN", u32],
  initrwnd: [14, "RTAX_INITRWND", u32],
  quickack: [15, "RTAX_QUICKACK", bool32],
  congestionControl: [16, "RTAX_CC_ALGO", text],
  fastOpenNoCookie: [17, "RTAX_FASTOPEN_NO_COOKIE", bool32],
});

type Values = Parameters<typeof routeMetrics.encode>[1];

const RTAX_FEATURE_ECN = 1;

/** Names as `ip route` prints them, in the order of their numbers; lock bits are numbered alike. */
const names: readonly (readonly [number: number, key: keyof RouteMetrics | "mtu", name: string])[] =
  [
    [2, "mtu", "mtu"],
    [3, "window", "window"],
    [4, "rttMs", "rtt"],
    [5, "rttvarMs", "rttvar"],
    [6, "ssthresh", "ssthresh"],
    [7, "cwnd", "cwnd"],
    [8, "advmss", "advmss"],
    [9, "reordering", "reordering"],
    [10, "hopLimit", "hoplimit"],
    [11, "initcwnd", "initcwnd"],
    [12, "ecn", "features"],
    [13, "rtoMinMs", "rto_min"],
    [14, "initrwnd", "initrwnd"],
    [15, "quickack", "quickack"],
    [16, "congestionControl", "congctl"],
    [17, "fastOpenNoCookie", "fastopen_no_cookie"],
  ];

/** The MTU has a place of its own in a route, since every tunnel's has one. */
export function metricsValues(mtu: number | undefined, metrics: RouteMetrics): Values {
  const { locked, rttMs, rttvarMs, ecn, ...same } = metrics;
  let lock = 0;
  for (const [number, key] of names) if (locked?.includes(key)) lock |= 1 << number;
  return {
    ...same,
    mtu,
    lock: lock || undefined,
    rtt: rttMs === undefined ? undefined : rttMs * 8,
    rttvar: rttvarMs === undefined ? undefined : rttvarMs * 4,
    features: ecn ? RTAX_FEATURE_ECN : undefined,
  };
}

/** What there is besides the MTU. */
export function metricsFrom(values: Values): RouteMetrics | undefined {
  const { mtu: _mtu, lock = 0, rtt, rttvar, features = 0, ...same } = values;
  const locked = names.filter(([number]) => (lock & (1 << number)) !== 0).map(([, key]) => key);
  const metrics = defined({
    ...same,
    rttMs: rtt === undefined ? undefined : rtt / 8,
    rttvarMs: rttvar === undefined ? undefined : rttvar / 4,
    ecn: (features & RTAX_FEATURE_ECN) !== 0 || undefined,
    locked: locked.length > 0 ? locked : undefined,
  });
  return Object.keys(metrics).length > 0 ? metrics : undefined;
}

/** `mtu lock 1400 rtt 20ms quickack 1 `, as `ip route` prints them. */
export function metricsText(mtu: number | undefined, metrics: RouteMetrics = {}): string {
  let text = "";
  for (const [, key, name] of names) {
    const value = key === "mtu" ? mtu : metrics[key as Exclude<typeof key, "mtu">];
    if (value === undefined) continue;
    const lock = metrics.locked?.includes(key) ? "lock " : "";
    const unit = key.endsWith("Ms") ? "ms" : "";
    const shown = key === "ecn" ? "ecn" : typeof value === "boolean" ? Number(value) : value;
    text += `${name} ${lock}${shown}${unit} `;
  }
  return text;
}
