/**
 * A network in memory for tests: TCP as the speaker sees it, driven by the test's clock. Connections
 * can be cut as a killed process would cut them, or go silent as a pulled cable would leave them.
 */

import { type Clock, formatAddress, type IpAddress } from "../../lib/index.ts";
import type {
  Connection,
  ConnectionHandlers,
  Listener,
  ListenOptions,
  Transport,
} from "../session/index.ts";

const LATENCY_MS = 1;

class End implements Connection {
  readonly remoteAddress: IpAddress;
  readonly localAddress: IpAddress;
  peer: End | undefined;
  silent = false;
  blocked = false;
  #handlers: ConnectionHandlers | undefined;
  #open = true;
  /** What is written while the other end reads nothing. */
  readonly #held: Uint8Array[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock, local: IpAddress, remote: IpAddress) {
    this.#clock = clock;
    this.localAddress = local;
    this.remoteAddress = remote;
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): boolean {
    const copy = bytes.slice();
    const { peer } = this;
    if (this.#open && !this.silent) {
      if (this.blocked) {
        this.#held.push(copy);
        return false;
      }
      this.#clock.schedule(LATENCY_MS, () => peer?.receive((handlers) => handlers.onData(copy)));
    }
    return true;
  }

  configure(): void {}

  pause(): void {}

  resume(): void {}

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handlers = undefined;
    const { peer } = this;
    if (!this.silent) this.#clock.schedule(LATENCY_MS, () => peer?.fail(""));
  }

  get heldWrites(): number {
    return this.#held.length;
  }

  /** The other end reads again. */
  unblock(): void {
    if (!this.blocked) return;
    this.blocked = false;
    for (const bytes of this.#held.splice(0)) this.write(bytes);
    this.receive((handlers) => handlers.onDrain());
  }

  /** Runs unless this end is closed. */
  receive(deliver: (handlers: ConnectionHandlers) => void): void {
    if (this.#open && this.#handlers) deliver(this.#handlers);
  }

  fail(reason: string): void {
    const handlers = this.#handlers;
    if (!this.#open) return;
    this.#open = false;
    this.#handlers = undefined;
    handlers?.onClose(reason);
  }
}

export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, (connection: Connection) => void>();
  readonly #ends = new Set<End>();
  /** Every connection that was ever made, as `FROM>TO`. */
  readonly dials: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The transport of a machine with this address. */
  transport(own: IpAddress): Transport {
    return {
      dial: ({ address, port }, handlers) => this.#dial(own, { address, port }, handlers),
      listen: async ({ port }: ListenOptions, onConnection): Promise<Listener> => {
        const name = place(own, port);
        this.#listeners.set(name, onConnection);
        return {
          setPasswords: () => undefined,
          share: () => undefined,
          drain: () => undefined,
          close: () => {
            if (this.#listeners.get(name) === onConnection) this.#listeners.delete(name);
          },
        };
      },
    };
  }

  /** The machine's process dies: its sockets close without a word, its listener is gone. */
  kill(address: IpAddress): void {
    for (const name of this.#listeners.keys()) {
      if (name.startsWith(place(address, ""))) this.#listeners.delete(name);
    }
    for (const end of this.#ends) if (end.localAddress === address) end.destroy();
  }

  /** Nothing that the machine sends on its present connections arrives any more, nor what it is sent. */
  silence(address: IpAddress): void {
    for (const end of this.#ends) {
      if (end.localAddress === address || end.remoteAddress === address) end.silent = true;
    }
  }

  /** The machine reads nothing any more: what others send to it on present connections is not taken. */
  block(address: IpAddress): void {
    for (const end of this.#ends) if (end.remoteAddress === address) end.blocked = true;
  }

  /** It reads again. */
  unblock(address: IpAddress): void {
    for (const end of this.#ends) if (end.remoteAddress === address) end.unblock();
  }

  /** How often others have written to it since it reads nothing. */
  heldWrites(address: IpAddress): number {
    let sum = 0;
    for (const end of this.#ends) if (end.remoteAddress === address) sum += end.heldWrites;
    return sum;
  }

  #dial(
    own: IpAddress,
    { address, port }: { address: IpAddress; port: number },
    handlers: ConnectionHandlers,
  ): Connection {
    const here = new End(this.#clock, own, address);
    const there = new End(this.#clock, address, own);
    here.peer = there;
    there.peer = here;
    here.setHandlers(handlers);
    this.dials.push(`${formatAddress(own)}>${formatAddress(address)}`);
    this.#clock.schedule(LATENCY_MS, () => {
      const accept = this.#listeners.get(place(address, port));
      if (accept === undefined) {
        here.fail("connection refused");
        return;
      }
      this.#ends.add(here);
      this.#ends.add(there);
      // Ours will know before it sees anything the far end writes.
      this.#clock.schedule(LATENCY_MS, () => here.receive((each) => each.onConnect()));
      accept(there);
    });
    return here;
  }
}

function place(address: IpAddress, port: number | ""): string {
  return `${formatAddress(address)} port ${port}`;
}
