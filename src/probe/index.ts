/** Packets that show what a path carries: format, asking, answering. */

export { type Answer, ProbeAsker, type ProbeAskerOptions } from "./asker.ts";
export { ProbeEndpoint, type ProbeEndpointOptions } from "./endpoint.ts";
export {
  encodePacket,
  PROBE_HEADER_BYTES,
  type ProbeIdentity,
  type ProbePacket,
  probeIdentity,
} from "./packet.ts";
