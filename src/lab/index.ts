/** The door of the lab: a live pod network on one machine, for people, tests and the demo. */

export { killAgent, restartAgent, startAgent } from "./agents.ts";
export { registerLab } from "./commands.ts";
export { type LabDownReport, labDown } from "./down.ts";
export { type Invocation, invocationOf, namespaceOfMember, runInvocation } from "./exec.ts";
export { type LabNodeState, type LabPodState, type LabState, loadLab } from "./lab-state.ts";
export {
  type ModeName,
  modeNames,
  modeOfPool,
  type PoolMode,
  parseMode,
  poolModeOf,
} from "./modes.ts";
export { checkPrerequisites } from "./prerequisites.ts";
export { type AgentAnswer, askAgent, askRouter, type RouterAnswer } from "./readiness.ts";
export { type LabNodeStatus, type LabStatus, labStatus } from "./status.ts";
export { layout } from "./topology.ts";
export { type LabUpOptions, labUp } from "./up.ts";
