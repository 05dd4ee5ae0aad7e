/** Asks the kernel who uses which address of a namespace. */

import type { IpAddress } from "../lib/index.ts";
import { Exchange } from "./exchange.ts";
import { NetlinkSocket } from "./socket.ts";
import {
  decodeSocket,
  type HostSocket,
  type SocketFilter,
  socketDump,
  type TransportProtocol,
} from "./socket-diag.ts";

const RECEIVE_BUFFER_BYTES = 1024 * 1024;

/** @throws SYSTEM_CALL_FAILED if the namespace cannot be entered, or the kernel has no inet_diag. */
export function openSocketDiag(options: { readonly namespace?: string } = {}): SocketDiag {
  return new SocketDiag(options);
}

export class SocketDiag {
  readonly #socket: NetlinkSocket;
  readonly #exchange: Exchange;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly namespace?: string }) {
    const receiveBufferBytes = RECEIVE_BUFFER_BYTES;
    this.#socket = new NetlinkSocket({ ...options, protocol: "sock_diag", receiveBufferBytes });
    this.#exchange = new Exchange(this.#socket);
  }

  /** The kernel looks at every socket and answers with those that match. @throws NETLINK_REFUSED. */
  sockets(filter: SocketFilter): Promise<HostSocket[]> {
    const reading = this.#last.then(async () => {
      const found: HostSocket[] = [];
      await this.#exchange.dump(socketDump(filter), (message) => {
        found.push(decodeSocket(message, filter.protocol));
      });
      return found;
    });
    this.#last = reading.catch(() => {});
    return reading;
  }

  /** TCP and UDP sockets that are bound to an address, also IPv4 ones of IPv6 sockets. */
  async usersOf(source: IpAddress): Promise<HostSocket[]> {
    const found: HostSocket[] = [];
    const protocols: readonly TransportProtocol[] = ["tcp", "udp"];
    const families = typeof source === "number" ? ([4, 6] as const) : ([6] as const);
    for (const protocol of protocols) {
      for (const family of families) {
        found.push(...(await this.sockets({ protocol, family, source })));
      }
    }
    return found;
  }

  close(): void {
    this.#socket.close();
  }
}
