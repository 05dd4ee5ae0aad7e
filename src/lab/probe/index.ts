export type { WindowCounts } from "./ledger.ts";
export { measurePathMtu } from "./path-mtu.ts";
export { measureRoundTrip, type RoundTrip } from "./round-trip.ts";
export { measureThroughput } from "./throughput.ts";
export { Traffic } from "./traffic.ts";
export type { Endpoint, PairReport, StreamCounts, TrafficOptions, WindowReport } from "./types.ts";
