/** What the speaker asks of TCP; `node-transport.ts` answers with real sockets. */

import type { IpAddress } from "../../lib/index.ts";
import type { SignatureFailures } from "../types.ts";

export interface ConnectionHandlers {
  onConnect(): void;
  onData(chunk: Uint8Array): void;
  /** What was written has left; more may be. */
  onDrain(): void;
  /** Last of all, once: the connection is gone. `reason` in words; empty when the peer closed it. */
  onClose(reason: string): void;
}

/** What the kernel is to do with the packets of one connection. */
export interface ConnectionOptions {
  /** RFC 2385: the key both ends sign with; none when absent. */
  readonly password?: string | undefined;
  /** Time to live of what is sent; the kernel's own default when absent. */
  readonly ttl?: number | undefined;
  /** RFC 5082: what arrives with less is dropped. */
  readonly minimumTtl?: number | undefined;
}

export interface Connection {
  readonly remoteAddress: IpAddress;
  /** The network device that an accepted connection came in by, where the peer's address is link-local. */
  readonly device?: string | undefined;
  /** Known once connected. */
  readonly localAddress: IpAddress | undefined;
  /** Handlers of an accepted connection are set once, in the same turn it is handed over. */
  setHandlers(handlers: ConnectionHandlers): void;
  /** Replaces all options. @throws SwitchyardError when the kernel refuses them */
  configure(options: ConnectionOptions): void;
  /** False: the buffer is full; wait for `onDrain`. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes. No handler is called afterwards. */
  end(): void;
  /** Closes at once. No handler is called afterwards. */
  destroy(): void;
}

/** RFC 2385 keys by the peer's address: the kernel checks them before a connection exists. */
export type Passwords = ReadonlyMap<IpAddress, string>;

export interface Listener {
  /** Replaces all keys; connections that exist keep theirs. @throws SwitchyardError */
  setPasswords(passwords: Passwords): void;
  /** While one listener takes over from another that covers some of the same addresses, both are shared. */
  share(shared: boolean): void;
  /** Begins no more connections, while those that have begun still come in; whoever tries will try again. */
  drain(): void;
  close(): void;
}

export interface DialOptions extends ConnectionOptions {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress?: IpAddress | undefined;
  /** Name of the network device that packets must leave by. */
  readonly device?: string | undefined;
}

export interface ListenOptions {
  /** Every address of the machine when absent. */
  readonly addresses?: readonly IpAddress[];
  readonly port: number;
  /** Name of the network device that connections must come in by. */
  readonly device?: string;
}

/** Connections come with a time to live of 255, from the first packet on: a peer with GTSM needs it. */
export interface Transport {
  /** @throws SwitchyardError when the kernel refuses an option */
  dial(options: DialOptions, handlers: ConnectionHandlers): Connection;
  /** Rejects when one of the addresses cannot be listened on; then none is. */
  listen(
    options: ListenOptions & { readonly passwords: Passwords; readonly shared?: boolean },
    onConnection: (connection: Connection) => void,
  ): Promise<Listener>;
  /** What the kernel has dropped, for as long as it counts; absent where nobody does. */
  signatureFailures?(): SignatureFailures | undefined;
}
