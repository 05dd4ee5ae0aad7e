export { type Kind, kinds, kindTable, type SpecOf, type StatusOf } from "./kinds/index.ts";
export type { EncapMode, IPPoolSpec } from "./kinds/ip-pool.ts";
export { type Encapsulation, encapsulations, type NodeModeStatus } from "./kinds/node-mode.ts";
export type { Metadata } from "./metadata.ts";
export * from "./resource.ts";
