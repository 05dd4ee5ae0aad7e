/**
 * Requests and their answers over one socket: single requests, dumps, and batches. Everything a request
 * causes is answered inside `send`, so the only waiting here is giving way to the event loop.
 */

import { hasCode, SwitchyardError } from "../lib/index.ts";
import { Batch } from "./batch.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "./constants.ts";
import { decodeDumpResult, decodeKernelAnswer, refusal } from "./kernel-error.ts";
import { type Message, messageBuffer, messageBytes, writeMessage } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";
import type { Request } from "./types.ts";

/** Datagrams of a dump (up to 32 KB each, some 0.3 ms) between two breaths of the event loop. */
const DUMP_DATAGRAMS_PER_TURN = 4;

/** Lets timers and other I/O run. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** From this size on a batch is worth the 0.1 ms that another thread costs. */
const ASIDE_BYTES = 4096;

export class Exchange {
  readonly #socket: NetlinkSocket;
  readonly #batches: readonly [Batch, Batch] = [new Batch(), new Batch()];
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
            if (answer.errno !== 0) failure ??= refusal(request, answer);
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
    const step = this.startDump(request, visit);
    while (!step()) await yieldToEventLoop();
  }

  /**
   * Asks for a table. Each call of the result takes a slice of it (a few milliseconds' work), and says
   * whether it was the last; it throws as {@link dump} does. Nothing else may be asked in between.
   */
  startDump(request: Request, visit: (message: Message) => void): () => boolean {
    const sequence = this.#send(request, NLM_F_DUMP);
    let failure: unknown;
    let interrupted = false;
    let done = false;
    const take = (message: Message): boolean => {
      if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
      if (message.type === NLMSG_ERROR) {
        failure ??= refusal(request, decodeKernelAnswer(message));
        return true;
      }
      if (message.type === NLMSG_DONE) {
        const answer = decodeDumpResult(message);
        if (answer.errno !== 0) failure ??= refusal(request, answer);
        return true;
      }
      visit(message);
      return false;
    };
    const visitOwn = (message: Message) => {
      if (message.sequence !== sequence) return;
      try {
        if (take(message)) done = true;
      } catch (error) {
        failure ??= error;
        done ||= message.type === NLMSG_ERROR || message.type === NLMSG_DONE;
      }
    };
    return () => {
      for (let datagrams = 0; !done && datagrams < DUMP_DATAGRAMS_PER_TURN; datagrams++) {
        try {
          this.#receive(request.text, visitOwn);
        } catch (error) {
          this.#drain();
          throw error;
        }
      }
      if (!done) return false;
      if (failure !== undefined) throw failure;
      if (interrupted) {
        throw new SwitchyardError(
          "NETLINK_DUMP_INTERRUPTED",
          `${request.text}: the table changed while it was read`,
        );
      }
      return true;
    };
  }

  /** As {@link executeEach}; the result of each request, in their order. */
  async execute(requests: readonly Request[]): Promise<(SwitchyardError | undefined)[]> {
    const results = new Array<SwitchyardError | undefined>(requests.length).fill(undefined);
    await this.executeEach(requests, ({ index, error }) => {
      results[index] ??= error;
    });
    return results;
  }

  /**
   * Executes requests in order, many to a `send`, without an acknowledgement each: only refusals come
   * back, then that of the no-op at the end of the batch, which proves that all were seen.
   */
  async executeEach(
    requests: Iterable<Request>,
    refused: (refusal: Refusal) => void,
  ): Promise<number> {
    let index = 0;
    let [batch, other] = this.#batches;
    /** The kernel works on one batch while the next is written. */
    let working: Promise<void> = Promise.resolve();
    try {
      for (const request of requests) {
        if (batch.add(request)) continue;
        await working;
        working = this.#flush(batch, index, refused);
        index += batch.requests.length;
        [batch, other] = [other, batch];
        batch.add(request);
      }
      await working;
      index += batch.requests.length;
      await this.#flush(batch, index - batch.requests.length, refused);
      return index;
    } finally {
      // Of an iterable that throws, what was not sent is not.
      await working;
      batch.clear();
    }
  }

  /** Sends a batch, whose first request has this index. */
  async #flush(batch: Batch, index: number, refused: (refusal: Refusal) => void): Promise<void> {
    const { requests } = batch;
    const count = requests.length;
    if (count === 0) return;
    // Sequence numbers of one batch are consecutive: the difference is the place.
    const first = this.#takeSequences(count + 1);
    const barrier = first + count;
    const fail = (at: number, error: SwitchyardError) =>
      refused({ index: index + at, request: requests[at]!, error });
    for (const [at, error] of batch.unwritable) fail(at, error);
    try {
      const bytes = batch.seal(first);
      if (bytes.length < ASIDE_BYTES) this.#socket.send(bytes);
      else await this.#socket.sendAside(bytes);
      for (let done = false; !done; ) {
        this.#receive(`batch of ${count} requests`, (message) => {
          if (message.type !== NLMSG_ERROR) return;
          if (message.sequence === barrier) done = true;
          const at = message.sequence - first;
          if (at < 0 || at >= count) return;
          const answer = decodeKernelAnswer(message);
          if (answer.errno !== 0) fail(at, refusal(requests[at]!, answer));
        });
      }
    } catch (error) {
      // What became of these requests is unknown; the caller must read the tables.
      const failure = asSwitchyardError(error);
      for (let at = 0; at < count; at++) fail(at, failure);
    } finally {
      batch.clear();
    }
  }
}

export interface Refusal {
  /** Place among the requests. */
  readonly index: number;
  readonly request: Request;
  readonly error: SwitchyardError;
}

function asSwitchyardError(error: unknown): SwitchyardError {
  if (error instanceof SwitchyardError) return error;
  throw error;
}
