/** What the speaker asks of TCP; `node-transport.ts` answers with `node:net`. */

import type { IpAddress } from "../../lib/index.ts";

export interface ConnectionHandlers {
  onConnect(): void;
  onData(chunk: Uint8Array): void;
  /** What was written has left; more may be. */
  onDrain(): void;
  /** Last of all, once: the connection is gone. `reason` in words; empty when the peer closed it. */
  onClose(reason: string): void;
}

export interface Connection {
  readonly remoteAddress: IpAddress;
  /** Known once connected. */
  readonly localAddress: IpAddress | undefined;
  /** Handlers of an accepted connection are set once, in the same turn it is handed over. */
  setHandlers(handlers: ConnectionHandlers): void;
  /** False: the buffer is full; wait for `onDrain`. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes. No handler is called afterwards. */
  end(): void;
  /** Closes at once. No handler is called afterwards. */
  destroy(): void;
}

export interface Listener {
  close(): void;
}

export interface DialOptions {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress?: IpAddress;
}

export interface ListenOptions {
  /** Every address of the machine when absent. */
  readonly addresses?: readonly IpAddress[];
  readonly port: number;
}

export interface Transport {
  dial(options: DialOptions, handlers: ConnectionHandlers): Connection;
  /** Rejects when one of the addresses cannot be listened on; then none is. */
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener>;
}
