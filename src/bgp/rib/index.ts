/** Tables of routes and the rules between them. Pure. */

export * from "./adj-rib-in.ts";
export * from "./adj-rib-in-paths.ts";
export * from "./adj-rib-out.ts";
export * from "./adj-rib-out-paths.ts";
export { lostTo } from "./decision.ts";
export * from "./export.ts";
export { ExportGroups } from "./export-group.ts";
export type * from "./export-target.ts";
export * from "./loc-rib.ts";
export * from "./path.ts";
export * from "./path-cache.ts";
export * from "./prefix-index.ts";
export * from "./prefix-map.ts";
export * from "./prefix-queue.ts";
