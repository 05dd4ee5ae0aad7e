/** Sessions: from a peer's address to Established and back. Knows messages, not routes. */

export { Deadline } from "./deadline.ts";
export type { Down } from "./fsm.ts";
export type { Negotiated } from "./negotiate.ts";
export { socketAddress } from "./node-connection.ts";
export { nodeTransport } from "./node-transport.ts";
export type { SessionParameters } from "./parameters.ts";
export { PeerSession } from "./peer-session.ts";
export { SessionRecord } from "./record.ts";
export type * from "./transport.ts";
