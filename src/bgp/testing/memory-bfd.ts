/** Links in memory that carry BFD packets for tests, and can be cut in one direction or both. */

import { type Clock, formatAddress, type IpAddress } from "../../lib/index.ts";
import type { BfdTransport } from "../bfd/index.ts";

const LATENCY_MS = 1;

export class MemoryBfd implements BfdTransport {
  readonly #clock: Clock;
  readonly #listeners = new Map<IpAddress, (bytes: Uint8Array, from: IpAddress) => void>();
  /** `FROM>TO`, by which nothing passes. */
  readonly cut = new Set<string>();
  /** When each was sent, by whom, and its bytes. */
  readonly sent: { readonly atMs: number; readonly from: string; readonly bytes: Uint8Array }[] =
    [];
  lost = 0;
  /** How often nobody may listen from now on. */
  refusals = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get listening(): number {
    return this.#listeners.size;
  }

  sender({ address, localAddress }: { address: IpAddress; localAddress: IpAddress }) {
    const from = formatAddress(localAddress);
    return {
      send: (bytes: Uint8Array) => {
        this.sent.push({ atMs: this.#clock.monotonicMs(), from, bytes });
        if (this.cut.has(`${from}>${formatAddress(address)}`)) {
          this.lost++;
          return;
        }
        this.#clock.schedule(LATENCY_MS, () => this.deliver(bytes, localAddress, address));
      },
      close: () => undefined,
    };
  }

  async listen(
    { localAddress }: { readonly localAddress: IpAddress },
    onPacket: (bytes: Uint8Array, from: IpAddress) => void,
  ) {
    if (this.refusals-- > 0) throw new Error("the port is taken");
    this.#listeners.set(localAddress, onPacket);
    return { close: () => void this.#listeners.delete(localAddress) };
  }

  deliver(bytes: Uint8Array, from: IpAddress, to: IpAddress): void {
    this.#listeners.get(to)?.(bytes, from);
  }
}
