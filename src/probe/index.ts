/** Packets that show what a path carries: format, asking, answering, and the rounds of the proof. */

export { type Answer, ProbeAsker, type ProbeAskerOptions } from "./asker.ts";
export { BulkServer, type BulkServerOptions } from "./bulk-server.ts";
export { type EchoAnswer, EchoSocket, type EchoSocketOptions } from "./echo-socket.ts";
export { ProbeEndpoint, type ProbeEndpointOptions } from "./endpoint.ts";
export {
  encodePacket,
  PROBE_HEADER_BYTES,
  type ProbeIdentity,
  type ProbePacket,
  probeIdentity,
} from "./packet.ts";
export {
  type ProofPartner,
  type ProofRoundOptions,
  runFirstRound,
  runFullRound,
} from "./rounds.ts";
