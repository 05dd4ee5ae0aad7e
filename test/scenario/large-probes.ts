/**
 * The largest datagrams that pods may send, all the time and unfragmented: where a pod sends what the path
 * or the other pod's device does not take, one of them is missing. (The lab's own probes are small.)
 */

import type { LabPodState } from "../../src/lab/index.ts";
import { ipAddress, sleep, systemClock } from "../../src/lib/index.ts";
import {
  closeFd,
  openUdpSocket,
  pathMtu,
  receiveFd,
  sendFd,
  setPathMtuDiscovery,
  setReceiveBuffer,
} from "../../src/lib/sys/index.ts";

const PORT = 9005;
const HEADERS_BYTES = 28;
const TURN_MS = 2;
const STRAGGLER_MS = 300;

export interface LargeProbeCounts {
  readonly sent: number;
  readonly lost: number;
  /** Datagrams by the size of their IP packet. */
  readonly sizes: Readonly<Record<number, number>>;
  /** Sizes that one pair sent between datagrams of another size, in order, for each pair. */
  readonly where: readonly string[];
}

export class LargeProbes {
  readonly #pairs: { readonly name: string; readonly fd: number; sent: number; got: number }[];
  readonly #receivers: readonly number[];
  readonly #sizes: Record<number, number> = {};
  readonly #buffer = new Uint8Array(65_535);
  readonly #view = new DataView(this.#buffer.buffer);
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(pods: readonly LabPodState[]) {
    this.#receivers = pods.map(({ namespace, address }) =>
      openUdpSocket({
        namespace,
        address: ipAddress(address),
        port: PORT,
        prepare: (fd) => setReceiveBuffer(fd, 8 << 20),
      }),
    );
    this.#pairs = pods.flatMap((from) =>
      pods
        .filter((to) => to !== from)
        .map((to) => ({
          name: `${from.name} -> ${to.name}`,
          fd: openUdpSocket({
            namespace: from.namespace,
            address: ipAddress(from.address),
            peer: { address: ipAddress(to.address), port: PORT },
            // DF, and refused at once if it does not fit what this host knows of the path.
            prepare: (fd) => setPathMtuDiscovery(fd, "do"),
          }),
          sent: 0,
          got: 0,
        })),
    );
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<LargeProbeCounts> {
    this.#stopped = true;
    await this.#running;
    await sleep(systemClock, STRAGGLER_MS);
    this.#receive();
    for (const fd of [...this.#receivers, ...this.#pairs.map((pair) => pair.fd)]) closeFd(fd);
    const total = (of: "sent" | "got") => this.#pairs.reduce((sum, pair) => sum + pair[of], 0);
    return {
      sent: total("sent"),
      lost: total("sent") - total("got"),
      sizes: this.#sizes,
      where: this.#pairs
        .filter(({ sent, got }) => sent !== got)
        .map(({ name, sent, got }) => `${name}: ${sent - got} of ${sent}`),
    };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      for (const [index, pair] of this.#pairs.entries()) {
        const size = this.#sendLargest(pair.fd, index);
        if (size === undefined) continue;
        pair.sent++;
        this.#sizes[size] = (this.#sizes[size] ?? 0) + 1;
      }
      this.#receive();
      await sleep(systemClock, TURN_MS);
    }
  }

  /** A refusal teaches the socket the new size; undefined if nothing could be sent. */
  #sendLargest(fd: number, pair: number): number | undefined {
    this.#view.setUint32(0, pair);
    for (let attempt = 0; attempt < 3; attempt++) {
      const size = pathMtu(fd);
      try {
        if (sendFd(fd, this.#buffer.subarray(0, size - HEADERS_BYTES))) return size;
      } catch {
        // EMSGSIZE: the size is asked for again.
      }
    }
    return undefined;
  }

  #receive(): void {
    for (const fd of this.#receivers) {
      for (;;) {
        const length = receiveFd(fd, this.#buffer);
        if (length === undefined || length < 4) break;
        const pair = this.#pairs[this.#view.getUint32(0)];
        if (pair) pair.got++;
      }
    }
  }
}
