/** A BGP speaker (RFC 4271) usable on its own: configuration in, routes and peer states out. */

export type {
  Connection,
  ConnectionHandlers,
  DialOptions,
  Listener,
  ListenOptions,
  Transport,
} from "./session/index.ts";
export { Speaker, type SpeakerOptions } from "./speaker.ts";
export type * from "./types.ts";
