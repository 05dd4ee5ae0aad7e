/** Bytes to messages and back. Pure; nothing here knows a session. */

export * from "./attributes/as-path.ts";
export * from "./attributes/communities.ts";
export * from "./attributes/decode.ts";
export * from "./attributes/encode.ts";
export * from "./attributes/table.ts";
export type * from "./attributes/types.ts";
export * from "./bytes.ts";
export * from "./capabilities.ts";
export * from "./constants.ts";
export * from "./framer.ts";
export * from "./names.ts";
export type { Nlri } from "./nlri.ts";
export * from "./notification.ts";
export * from "./notification-data.ts";
export * from "./open.ts";
export * from "./prefix-key.ts";
export * from "./route-refresh.ts";
export * from "./shutdown-communication.ts";
export * from "./update-decode.ts";
export * from "./update-encode.ts";
