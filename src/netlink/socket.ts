/**
 * A raw AF_NETLINK socket of one family, in any namespace. The kernel works on a request inside `send`,
 * so its answers are there when `send` returns and nothing here ever waits.
 */

import { SwitchyardError } from "../lib/index.ts";
import { errnoNumbers, systemCallError } from "../lib/sys/index.ts";
import { malformed } from "./malformed.ts";
import { forEachMessage, type Message } from "./message.ts";
import { type NetlinkSocketOptions, openTransport, type Transport } from "./transport.ts";

/** The kernel fills at most 32 KB per datagram of a dump; single links with many VFs may be larger. */
const RECEIVE_BYTES = 128 * 1024;

/** A signal may interrupt a call as often as it likes, but not for ever. */
const MOST_INTERRUPTIONS = 100;

export class NetlinkSocket {
  readonly #transport: Transport;
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #closed = false;
  #sending = false;

  /** @throws SYSTEM_CALL_FAILED. */
  constructor(options: NetlinkSocketOptions, transport: Transport = openTransport(options)) {
    this.#transport = transport;
  }

  /** nl_pid: what the kernel addresses answers to. */
  get port(): number {
    return this.#transport.port;
  }

  /** For poll; -1 when closed. */
  get fd(): number {
    return this.#closed ? -1 : this.#transport.fd;
  }

  /** @throws SYSTEM_CALL_FAILED; the kernel has then seen nothing of it. */
  send(bytes: Uint8Array): void {
    const transport = this.#open();
    this.#check(transport.send(bytes), () => transport.send(bytes));
  }

  /**
   * As {@link send}, but in another thread: adding or removing routes, the kernel now and then waits tens of
   * milliseconds for its readers (synchronize_rcu of fib_trie.c), and the event loop need not.
   */
  async sendAside(bytes: Uint8Array): Promise<void> {
    const transport = this.#open();
    this.#sending = true;
    try {
      const errno = await transport.sendAside(bytes);
      this.#check(errno, () => transport.send(bytes));
    } finally {
      this.#sending = false;
      // The descriptor had to stay open meanwhile.
      if (this.#closed) transport.close();
    }
  }

  #check(first: number, again: () => number): void {
    let errno = first;
    for (let count = 0; errno === errnoNumbers.EINTR && count < MOST_INTERRUPTIONS; count++) {
      errno = again();
    }
    if (errno !== 0) throw systemCallError({ call: "send", object: "netlink", errno });
  }

  /**
   * Hands the messages of one datagram to `visit`. `none`: nothing waits; `overrun`: messages were lost
   * since the last call. Datagrams of other processes are dropped: the kernel's port is 0.
   */
  receive(visit: (message: Message) => void): "received" | "none" | "overrun" {
    const transport = this.#open();
    let datagram = transport.receive(this.#buffer);
    for (
      let count = 0;
      datagram.result === -errnoNumbers.EINTR && count < MOST_INTERRUPTIONS;
      count++
    ) {
      datagram = transport.receive(this.#buffer);
    }
    const { result, port } = datagram;
    if (result < 0) {
      if (result === -errnoNumbers.EAGAIN) return "none";
      if (result === -errnoNumbers.ENOBUFS) return "overrun";
      throw systemCallError({ call: "recv", object: "netlink", errno: -result });
    }
    if (result > this.#buffer.length) {
      const what = `datagram of ${result} bytes does not fit ${this.#buffer.length}`;
      throw malformed(what, this.#view, 0, 16);
    }
    if (port === 0) forEachMessage(this.#view, result, visit);
    return "received";
  }

  #open(): Transport {
    if (this.#closed) {
      throw new SwitchyardError("INVALID_ARGUMENT", "this netlink socket was closed");
    }
    return this.#transport;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#sending) this.#transport.close();
  }
}
