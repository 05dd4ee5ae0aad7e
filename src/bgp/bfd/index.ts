/** Bidirectional Forwarding Detection, single hop (RFC 5880, RFC 5881): says within a second that a path is dead. */

export { Bfd, type BfdDown, type BfdWatch } from "./bfd.ts";
export { nodeBfdTransport } from "./node-bfd.ts";
export type { BfdPath, BfdTransport } from "./transport.ts";
