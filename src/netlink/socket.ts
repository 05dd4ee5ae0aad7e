/**
 * A raw AF_NETLINK socket of one family, in any namespace. The kernel works on a request inside `send`,
 * so its answers are there when `send` returns and nothing here ever waits.
 */

import { SwitchyardError } from "../lib/index.ts";
import {
  closeFd,
  type NetlinkProtocol,
  openNetlinkSocket,
  type ReceivedDatagram,
  receiveNetlink,
  sendNetlink,
  sendNetlinkAside,
  setIntegerOption,
  setReceiveBuffer,
} from "../lib/sys/index.ts";
import { malformed } from "./malformed.ts";
import { forEachMessage, type Message } from "./message.ts";

const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** Kernel 4.20: dumps are filtered as the request's header and attributes say. */
const NETLINK_GET_STRICT_CHK = 12;

/** The kernel fills at most 32 KB per datagram of a dump; single links with many VFs may be larger. */
const RECEIVE_BYTES = 128 * 1024;

export interface NetlinkSocketOptions {
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string;
  /** `route` unless told. */
  readonly protocol?: NetlinkProtocol;
  readonly receiveBufferBytes: number;
  /** Multicast groups (RTNLGRP_*). */
  readonly groups?: readonly number[];
}

export class NetlinkSocket {
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #fd: number;
  #sending = false;
  #closing = false;
  /** nl_pid: what the kernel addresses answers to. */
  readonly port: number;

  constructor(options: NetlinkSocketOptions) {
    const { fd, port } = openNetlinkSocket(options.namespace, options.protocol);
    this.#fd = fd;
    this.port = port;
    try {
      setReceiveBuffer(fd, options.receiveBufferBytes);
      this.#set(NETLINK_CAP_ACK, "NETLINK_CAP_ACK", 1);
      this.#set(NETLINK_EXT_ACK, "NETLINK_EXT_ACK", 1);
      this.#set(NETLINK_GET_STRICT_CHK, "NETLINK_GET_STRICT_CHK", 1);
      for (const group of options.groups ?? []) {
        this.#set(NETLINK_ADD_MEMBERSHIP, "NETLINK_ADD_MEMBERSHIP", group);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #set(option: number, name: string, value: number): void {
    setIntegerOption(this.#fd, { level: SOL_NETLINK, option, name }, value);
  }

  /** For poll; -1 when closed. */
  get fd(): number {
    return this.#fd;
  }

  send(bytes: Uint8Array): void {
    sendNetlink(this.#open(), bytes);
  }

  /**
   * As {@link send}, but in another thread: adding or removing routes, the kernel now and then waits tens of
   * milliseconds for its readers (synchronize_rcu of fib_trie.c), and the event loop need not.
   */
  async sendAside(bytes: Uint8Array): Promise<void> {
    const fd = this.#open();
    this.#sending = true;
    let sent: boolean;
    try {
      sent = await sendNetlinkAside(fd, bytes);
    } finally {
      this.#sending = false;
      if (this.#closing) this.close();
    }
    // Nothing was sent: once more, to learn why.
    if (!sent) this.send(bytes);
  }

  /**
   * Hands the messages of one datagram to `visit`. `none`: nothing waits; `overrun`: messages were lost
   * since the last call. Datagrams of other processes are dropped: the kernel's port is 0.
   */
  receive(visit: (message: Message) => void): "received" | "none" | "overrun" {
    const datagram: ReceivedDatagram = receiveNetlink(this.#open(), this.#buffer);
    if (datagram.kind !== "received") return datagram.kind;
    if (datagram.bytes > this.#buffer.length) {
      const what = `datagram of ${datagram.bytes} bytes does not fit ${this.#buffer.length}`;
      throw malformed(what, this.#view, 0, 16);
    }
    if (datagram.port === 0) forEachMessage(this.#view, datagram.bytes, visit);
    return "received";
  }

  #open(): number {
    if (this.#fd === -1) {
      throw new SwitchyardError("INVALID_ARGUMENT", "this netlink socket was closed");
    }
    return this.#fd;
  }

  close(): void {
    if (this.#fd === -1) return;
    // The number of a descriptor in use must not be given to something else.
    this.#closing = this.#sending;
    if (this.#closing) return;
    closeFd(this.#fd);
    this.#fd = -1;
  }
}
