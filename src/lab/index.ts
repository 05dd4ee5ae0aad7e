/** The door of the lab: a live pod network on one machine, for people, tests and the demo. */

export { registerLab } from "./commands.ts";
export type { ModeWatcher, WatchModesOptions } from "./convergence.ts";
export type { LabDownReport } from "./down.ts";
export { describeFault } from "./fault/describe.ts";
export type { LabFault } from "./fault/operations.ts";
export type { FaultKind, FaultSpec } from "./fault/spec.ts";
export type { LabNodeState, LabPodState, LabState } from "./lab-state.ts";
export { launcher } from "./launcher.ts";
export { parseMode } from "./modes.ts";
export * from "./operations.ts";
export { checkPrerequisites } from "./prerequisites.ts";
export type { AgentAnswer, RouterAnswer } from "./readiness.ts";
export type { LabNodeStatus, LabStatus } from "./status.ts";
export { suggestions } from "./suggestions.ts";
export { layout } from "./topology.ts";
export type { LabUpOptions } from "./up.ts";
