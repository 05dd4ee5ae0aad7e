/**
 * Numbered UDP probes between every ordered pair of endpoints of one family. Sockets are plain descriptors opened
 * inside each namespace and served by polling: one turn sends what is due and takes what has come,
 * at about 3 us a probe, so that thousands a second leave the machine to the network under test.
 */

import { familyOf, ipAddress } from "../../lib/index.ts";
import { closeFd, openUdpSocket, receiveFd, sendFd } from "../../lib/sys/index.ts";
import { ProbeLedger } from "./ledger.ts";
import type { Endpoint, PairReport } from "./types.ts";

/** Magic, pair, window, sequence. */
const PROBE_BYTES = 16;
const MAGIC = 0x53594152;
/** Room for a second of silence of this process. */
const RECEIVE_BUFFER_BYTES = 4 << 20;
/** Probes made up for in one turn after a stall; the rest of the debt is forgiven. */
const LARGEST_BURST = 256;

/** A pod with two addresses is two endpoints. */
function sameFamily(a: Endpoint, b: Endpoint): boolean {
  return familyOf(ipAddress(a.address)) === familyOf(ipAddress(b.address));
}

export class UdpMesh {
  readonly ledger: ProbeLedger;
  readonly #pairs: readonly { readonly from: string; readonly to: string; readonly fd: number }[];
  readonly #receivers: readonly number[];
  readonly #perMs: number;
  readonly #outgoing = new Uint8Array(PROBE_BYTES);
  readonly #outgoingView = new DataView(this.#outgoing.buffer);
  readonly #incoming = new Uint8Array(2048);
  readonly #incomingView = new DataView(this.#incoming.buffer);
  #next = 0;
  #debt = 0;
  #lastTurnMs: number | undefined;

  constructor(
    endpoints: readonly Endpoint[],
    options: { readonly probesPerSecond: number; readonly port: number },
  ) {
    const { port } = options;
    this.#receivers = endpoints.map(({ namespace, address }) =>
      openUdpSocket({
        namespace,
        address: ipAddress(address),
        port,
        receiveBufferBytes: RECEIVE_BUFFER_BYTES,
      }),
    );
    this.#pairs = endpoints.flatMap((from) =>
      endpoints
        .filter((to) => to !== from && sameFamily(from, to))
        .map((to) => ({
          from: from.name,
          to: to.name,
          fd: openUdpSocket({
            namespace: from.namespace,
            address: ipAddress(from.address),
            peer: { address: ipAddress(to.address), port },
          }),
        })),
    );
    this.#perMs = options.probesPerSecond / 1000;
    this.ledger = new ProbeLedger(this.#pairs.length);
    this.#outgoingView.setUint32(0, MAGIC);
  }

  /** Sends what is due, in turn over the pairs, and books what has arrived. */
  turn(nowMs: number): void {
    this.#debt = Math.min(
      LARGEST_BURST,
      this.#debt + (nowMs - (this.#lastTurnMs ?? nowMs)) * this.#perMs,
    );
    this.#lastTurnMs = nowMs;
    for (; this.#debt >= 1; this.#debt--) this.#sendOne();
    this.receive(nowMs);
  }

  /** Time spent paused is neither debt nor gap. */
  resume(nowMs: number): void {
    this.#lastTurnMs = nowMs;
    this.ledger.forgetArrivals();
  }

  receive(nowMs: number): void {
    for (const fd of this.#receivers) {
      for (;;) {
        const length = receiveFd(fd, this.#incoming);
        if (length === undefined) break;
        if (length !== PROBE_BYTES || this.#incomingView.getUint32(0) !== MAGIC) continue;
        this.ledger.receive(this.#incomingView.getUint32(4), {
          window: this.#incomingView.getUint32(8),
          sequence: this.#incomingView.getUint32(12),
          nowMs,
        });
      }
    }
  }

  reports(window: number): PairReport[] {
    return this.ledger.counts(window).map((counts, index) => {
      const { from, to } = this.#pairs[index]!;
      return { from, to, ...counts };
    });
  }

  close(): void {
    for (const fd of this.#receivers) closeFd(fd);
    for (const { fd } of this.#pairs) closeFd(fd);
  }

  #sendOne(): void {
    const pair = this.#next;
    this.#next = (pair + 1) % this.#pairs.length;
    this.#outgoingView.setUint32(4, pair);
    this.#outgoingView.setUint32(8, this.ledger.window);
    this.#outgoingView.setUint32(12, this.ledger.send(pair));
    try {
      sendFd(this.#pairs[pair]!.fd, this.#outgoing);
    } catch {
      // The kernel's refusal (no route, an ICMP error) is a lost probe, and booked as one: it was
      // counted as sent and will not arrive.
    }
  }
}
