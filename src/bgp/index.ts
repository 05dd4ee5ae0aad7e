/** A BGP speaker (RFC 4271) usable on its own: configuration in, routes and peer states out. */

export { peerProblem } from "./config.ts";
export { policyProblem } from "./policy/index.ts";
export { Speaker } from "./speaker.ts";
export type * from "./types.ts";
export type * from "./view-types.ts";
