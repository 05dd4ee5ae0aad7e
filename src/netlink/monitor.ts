/**
 * Changes of the kernel's tables as they happen. The consumer pulls: what it does not take stays in the
 * socket's buffer, and when that is full the kernel drops events and the consumer is told (`overrun`), so
 * that a slow consumer costs no memory here. Waiting is a poll(2) in libuv's thread pool, which holds one
 * of its threads for as long as somebody iterates: open one monitor with all groups, not several.
 */

import { closeFd, openWaker, waitForFds, wake } from "../lib/sys/index.ts";
import { decodeEvent, eventGroups } from "./event.ts";
import { ignoreRoutesWrittenBy } from "./monitor-filter.ts";
import { NetlinkSocket } from "./socket.ts";
import type { EventGroup, NetlinkEvent } from "./types.ts";

/** The longest a poll lasts, since the process cannot exit before it ends. */
const POLL_MS = 250;
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

export interface MonitorOptions {
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string;
  readonly groups: readonly EventGroup[];
  /** How much the kernel keeps for a slow consumer; 8 MiB unless told. */
  readonly receiveBufferBytes?: number;
  /** {@link RouteSocket.port} of a socket whose own changes of routes are not told. */
  readonly ignoreRoutesOf?: number;
}

/** Events count from here on, not from the first iteration. @throws SYSTEM_CALL_FAILED. */
export function openMonitor(options: MonitorOptions): Monitor {
  const { namespace, groups, receiveBufferBytes = RECEIVE_BUFFER_BYTES, ignoreRoutesOf } = options;
  const socket = new NetlinkSocket({
    namespace,
    receiveBufferBytes,
    groups: groups.map((group) => eventGroups[group]),
  });
  if (ignoreRoutesOf !== undefined) ignoreRoutesWrittenBy(ignoreRoutesOf, socket.fd);
  return new Monitor(socket);
}

export class Monitor implements AsyncIterable<NetlinkEvent> {
  readonly #socket: NetlinkSocket;
  readonly #waker = openWaker();
  /** Events of the last datagram that were not delivered yet. */
  readonly #received: NetlinkEvent[] = [];
  #closed = false;
  #polling = false;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** One consumer at a time. Ends when the monitor is closed. @throws NETLINK_MALFORMED. */
  async *[Symbol.asyncIterator](): AsyncGenerator<NetlinkEvent, void, undefined> {
    // After close() nothing more is delivered.
    while (!this.#closed) {
      const event = this.#received.shift();
      if (event !== undefined) yield event;
      else if (!this.#receive()) await this.#wait();
    }
  }

  /**
   * Waits until events may be had by {@link take}; false once the monitor is closed. This pair is for a
   * consumer that must know at any moment that it has seen all that happened: no event is ever on its way
   * between the two. Not to be mixed with iteration.
   */
  async ready(): Promise<boolean> {
    while (!this.#closed && this.#received.length === 0 && !this.#receive()) await this.#wait();
    return !this.#closed;
  }

  /** The events that have happened, up to about `most`; fewer means that there are no more now. */
  take(most: number): NetlinkEvent[] {
    while (!this.#closed && this.#received.length < most && this.#receive());
    return this.#received.splice(0);
  }

  /** Takes the events of one datagram; false if none waits. */
  #receive(): boolean {
    const result = this.#socket.receive((message) => {
      const event = decodeEvent(message);
      if (event !== undefined) this.#received.push(event);
    });
    if (result === "overrun") this.#received.push({ kind: "overrun" });
    return result !== "none";
  }

  async #wait(): Promise<void> {
    this.#polling = true;
    try {
      await waitForFds({ readable: [this.#socket.fd, this.#waker], timeoutMs: POLL_MS });
    } finally {
      this.#polling = false;
      if (this.#closed) this.#release();
    }
  }

  /** Ends the iteration at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // A descriptor in a poll must stay open: its number could be given to something else.
    if (this.#polling) wake(this.#waker);
    else this.#release();
  }

  #release(): void {
    this.#socket.close();
    closeFd(this.#waker);
  }
}
