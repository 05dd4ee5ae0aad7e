/**
 * Requests and their answers over one socket: single requests, dumps, and batches. Everything a request
 * causes is answered inside `send`, so the only waiting here is giving way to the event loop.
 */

import { hasCode, SwitchyardError } from "../lib/index.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
} from "./constants.ts";
import { decodeDumpResult, decodeKernelAnswer, refusal } from "./kernel-error.ts";
import { type Message, messageBuffer, messageBytes, writeMessage } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";
import type { Request } from "./types.ts";

/** About 2 ms of the kernel's work with routes; larger batches are not faster. */
const BATCH_BYTES = 32 * 1024;
/** Datagrams of a dump (up to 32 KB each, some 0.3 ms) between two breaths of the event loop. */
const DUMP_DATAGRAMS_PER_TURN = 16;

const NOTHING = new Uint8Array(0);

/** Lets timers and other I/O run. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class Exchange {
  readonly #socket: NetlinkSocket;
  readonly #batch = messageBuffer(BATCH_BYTES);
  #sequence = 0;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** The first of `count` consecutive sequence numbers; 0 is left to events. */
  #takeSequences(count: number): number {
    const first = this.#sequence + count > 0xffff_ffff ? 1 : this.#sequence + 1;
    this.#sequence = first + count - 1;
    return first;
  }

  #send(request: Request, flags: number): number {
    const sequence = this.#takeSequences(1);
    const target = messageBuffer(messageBytes(request.payload.length));
    const all = request.flags | flags | NLM_F_REQUEST;
    writeMessage(target, 0, { type: request.type, flags: all, sequence }, request.payload);
    this.#socket.send(target.bytes);
    return sequence;
  }

  /** Receives one datagram; `visit` sees only answers to requests of this socket. */
  #receive(what: string, visit: (message: Message) => void): void {
    const result = this.#socket.receive((message) => {
      if (message.port === this.#socket.port) visit(message);
    });
    if (result === "received") return;
    throw new SwitchyardError(
      result === "overrun" ? "NETLINK_OVERRUN" : "NETLINK_MALFORMED",
      result === "overrun"
        ? `${what}: answers of the kernel were lost`
        : `${what}: the kernel gave no complete answer`,
    );
  }

  /** Takes what is left of a dump: while one is under way the kernel refuses the next (EBUSY). */
  #drain(): void {
    for (;;) {
      try {
        if (this.#socket.receive(() => {}) === "none") return;
      } catch (error) {
        if (!hasCode(error, "NETLINK_MALFORMED")) return;
      }
    }
  }

  /**
   * Sends one request and waits for its acknowledgement; `visit` sees the messages before it.
   * @throws NETLINK_REFUSED.
   */
  request(request: Request, visit?: (message: Message) => void): void {
    const sequence = this.#send(request, NLM_F_ACK);
    let failure: unknown;
    for (let done = false; !done; ) {
      this.#receive(request.text, (message) => {
        if (message.sequence !== sequence) return;
        try {
          if (message.type === NLMSG_ERROR) {
            done = true;
            const answer = decodeKernelAnswer(message);
            if (answer.errno !== 0) failure ??= refusal(request.text, answer);
          } else {
            visit?.(message);
          }
        } catch (error) {
          failure ??= error;
        }
      });
    }
    if (failure !== undefined) throw failure;
  }

  /**
   * Reads a whole table. Also when something fails the answer is read to its end, so that the socket is
   * ready for the next request.
   * @throws NETLINK_DUMP_INTERRUPTED if the table changed meanwhile: what was read may have gaps.
   */
  async dump(request: Request, visit: (message: Message) => void): Promise<void> {
    const sequence = this.#send(request, NLM_F_DUMP);
    let failure: unknown;
    let interrupted = false;
    const take = (message: Message): boolean => {
      if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
      if (message.type === NLMSG_ERROR) {
        failure ??= refusal(request.text, decodeKernelAnswer(message));
        return true;
      }
      if (message.type === NLMSG_DONE) {
        const answer = decodeDumpResult(message);
        if (answer.errno !== 0) failure ??= refusal(request.text, answer);
        return true;
      }
      visit(message);
      return false;
    };
    let done = false;
    for (let datagrams = 1; !done; datagrams++) {
      const visitOwn = (message: Message) => {
        if (message.sequence !== sequence) return;
        try {
          if (take(message)) done = true;
        } catch (error) {
          failure ??= error;
          done ||= message.type === NLMSG_ERROR || message.type === NLMSG_DONE;
        }
      };
      try {
        this.#receive(request.text, visitOwn);
      } catch (error) {
        this.#drain();
        throw error;
      }
      if (!done && datagrams % DUMP_DATAGRAMS_PER_TURN === 0) await yieldToEventLoop();
    }
    if (failure !== undefined) throw failure;
    if (interrupted) {
      throw new SwitchyardError(
        "NETLINK_DUMP_INTERRUPTED",
        `${request.text}: the table changed while it was read`,
      );
    }
  }

  /**
   * Executes requests in order, many to a `send`, without an acknowledgement each: only refusals come
   * back, then that of the no-op at the end of the batch, which proves that all were seen.
   */
  async execute(requests: readonly Request[]): Promise<(SwitchyardError | undefined)[]> {
    const results = new Array<SwitchyardError | undefined>(requests.length).fill(undefined);
    for (let from = 0; from < requests.length; ) {
      if (from > 0) await yieldToEventLoop();
      from = this.#executeBatch(requests, from, results);
    }
    return results;
  }

  /** Executes as many requests as fit from `from` on; returns the index behind the last. */
  #executeBatch(
    requests: readonly Request[],
    from: number,
    results: (SwitchyardError | undefined)[],
  ): number {
    const barrierBytes = messageBytes(0);
    const first = messageBytes(requests[from]!.payload.length) + barrierBytes;
    const target = first > BATCH_BYTES ? messageBuffer(first) : this.#batch;
    let length = 0;
    let next = from;
    // Sequence numbers of one batch are consecutive: the difference is the place.
    const firstSequence = this.#takeSequences(requests.length - from + 1);
    for (; next < requests.length; next++) {
      const { type, flags, payload } = requests[next]!;
      if (length + messageBytes(payload.length) + barrierBytes > target.bytes.length) break;
      const header = { type, flags: flags | NLM_F_REQUEST, sequence: firstSequence + next - from };
      length = writeMessage(target, length, header, payload);
    }
    const barrier = firstSequence + next - from;
    // Those not used here are there for the next batch.
    this.#sequence = barrier;
    const header = { type: NLMSG_NOOP, flags: NLM_F_REQUEST | NLM_F_ACK, sequence: barrier };
    length = writeMessage(target, length, header, NOTHING);
    try {
      this.#socket.send(target.bytes.subarray(0, length));
      for (let done = false; !done; ) {
        this.#receive(`batch of ${next - from} requests`, (message) => {
          if (message.type !== NLMSG_ERROR) return;
          if (message.sequence === barrier) done = true;
          const index = from + message.sequence - firstSequence;
          if (index < from || index >= next) return;
          const answer = decodeKernelAnswer(message);
          if (answer.errno !== 0) results[index] = refusal(requests[index]!.text, answer);
        });
      }
    } catch (error) {
      // What became of these requests is unknown; the caller must read the tables.
      const failure = asSwitchyardError(error);
      for (let index = from; index < next; index++) results[index] ??= failure;
    }
    return next;
  }
}

function asSwitchyardError(error: unknown): SwitchyardError {
  if (error instanceof SwitchyardError) return error;
  throw error;
}
