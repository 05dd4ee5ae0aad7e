/** Requests written one behind the other, as one `send` takes them, with an acknowledged no-op at the end. */

import { SwitchyardError } from "../lib/index.ts";
import { NLM_F_ACK, NLM_F_REQUEST, NLMSG_NOOP } from "./constants.ts";
import { HEADER_BYTES } from "./message.ts";
import type { Request } from "./types.ts";
import { Writer } from "./writer.ts";

/** About 2 ms of the kernel's work with routes; larger batches are not faster. */
const BATCH_BYTES = 32 * 1024;

export class Batch {
  readonly #writer = new Writer();
  /** Where each message begins. */
  readonly #offsets: number[] = [];
  #requests: Request[] = [];
  #unwritable = new Map<number, SwitchyardError>();

  get requests(): readonly Request[] {
    return this.#requests;
  }

  /** Requests that could not be written (no place in the batch but a number), and why. */
  get unwritable(): ReadonlyMap<number, SwitchyardError> {
    return this.#unwritable;
  }

  /** False if the batch is full; the first request always fits. */
  add(request: Request): boolean {
    const writer = this.#writer;
    const start = writer.length;
    this.#header(request.type, request.flags | NLM_F_REQUEST);
    try {
      if (request.write !== undefined) request.write(writer);
      else writer.bytes(request.payload);
    } catch (error) {
      writer.truncate(start);
      if (!(error instanceof SwitchyardError)) throw error;
      this.#unwritable.set(this.#requests.length, error);
      this.#accept(request, -1);
      return true;
    }
    this.#close(start);
    if (writer.length > BATCH_BYTES - HEADER_BYTES && this.#requests.length > 0) {
      writer.truncate(start);
      return false;
    }
    this.#accept(request, start);
    return true;
  }

  #accept(request: Request, offset: number): void {
    this.#offsets.push(offset);
    this.#requests.push(request);
  }

  #header(type: number, flags: number): void {
    const writer = this.#writer;
    writer.u32(0); // nlmsg_len, when it is known
    writer.u16(type);
    writer.u16(flags);
    writer.u32(0); // nlmsg_seq, when it is sent
    writer.u32(0); // nlmsg_pid: the kernel fills in the sender's port
  }

  #close(start: number): void {
    const writer = this.#writer;
    writer.setU32(start, writer.length - start);
    while (writer.length % 4 !== 0) writer.u8(0);
  }

  /** The bytes to send, numbered from `sequence` on; valid until {@link clear}. */
  seal(sequence: number): Uint8Array {
    const start = this.#writer.length;
    this.#header(NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK);
    this.#close(start);
    this.#offsets.push(start);
    for (let at = 0; at < this.#offsets.length; at++) {
      const offset = this.#offsets[at]!;
      if (offset !== -1) this.#writer.setU32(offset + 8, sequence + at);
    }
    return this.#writer.written();
  }

  clear(): void {
    this.#writer.truncate(0);
    this.#offsets.length = 0;
    this.#requests = [];
    this.#unwritable = new Map();
  }
}
