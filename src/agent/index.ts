export { type AgentCommandOptions, runAgent } from "./command.ts";
export type { AgentDiff, AgentPeerStatus, AgentPoolStatus, AgentStatus } from "./status.ts";
