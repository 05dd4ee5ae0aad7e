export { type AgentCommandOptions, runAgent } from "./command.ts";
export type { AgentPeerStatus, AgentPoolStatus, AgentStatus } from "./status.ts";
