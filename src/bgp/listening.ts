/**
 * The sockets at which peers dial this speaker. A change of places opens the new ones before it closes the
 * old ones: there is no moment without a listener, and the sessions that came in by them stay. Where a new
 * place cannot be had all stays as it was, and is tried again.
 */

import { Backoff, type Clock, errorText, formatAddress, type Timer } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Connection, Listener, Passwords, Transport } from "./session/index.ts";
import type { ListenConfig } from "./types.ts";

const RETRY = { initialMs: 1000, maximumMs: 30_000 };
/** What the kernel closes unaccepted is refused: an old listener ends with the last handshake it began. */
const DRAIN_MS = 500;

export interface ListeningOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly transport: Transport;
  /** The keys that the kernel is to ask for, as they are to be now. */
  passwords(): Passwords;
  onConnection(connection: Connection): void;
}

export class Listening {
  readonly #options: ListeningOptions;
  readonly #retry = new Backoff(RETRY);
  #listeners = new Map<string, Listener>();
  /** Not wanted any more, and closed when nobody can be on the way in. */
  readonly #draining = new Map<Listener, Timer>();
  #wanted: ReadonlyMap<string, ListenConfig> = new Map();
  /** Places are being opened. */
  #changing = false;
  #closed = false;
  /** Why it does not listen where it is to. */
  #unopened: string | undefined;
  /** Why it does not know the keys of those who dial. */
  #unkeyed: string | undefined;
  #cancelRetry: () => void = () => undefined;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** The first time. Rejects when one of the places cannot be had; then none is. */
  async open(places: readonly ListenConfig[]): Promise<void> {
    this.#closed = false;
    this.#wanted = byName(places);
    try {
      await this.#change();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What is wrong now, in words; each is tried again. */
  get problems(): readonly string[] {
    return [this.#unopened, this.#unkeyed].filter((problem) => problem !== undefined);
  }

  /** From now on at these places. What goes wrong is told to the log, and by {@link problems}. */
  set(places: readonly ListenConfig[]): void {
    this.#wanted = byName(places);
    this.#retry.reset();
    this.#tryChange();
  }

  /** Peers or their keys are others. */
  setPasswords(): void {
    const { log, passwords } = this.#options;
    const keys = passwords();
    try {
      for (const listener of this.#listeners.values()) listener.setPasswords(keys);
      this.#unkeyed = undefined;
    } catch (error) {
      this.#unkeyed = `passwords of those who dial are not set: ${errorText(error)}`;
      log.error({ error: errorText(error) }, "passwords for incoming connections not set");
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    for (const timer of this.#draining.values()) timer.cancel();
    for (const listener of this.#bound()) listener.close();
    this.#listeners.clear();
    this.#draining.clear();
  }

  #tryChange(): void {
    this.#cancelRetry();
    const { clock, log } = this.#options;
    this.#change().catch((error: unknown) => {
      const retryMs = this.#retry.next();
      const still = [...this.#listeners.keys()].join(", ") || "nowhere";
      this.#unopened = `not listening at ${[...this.#wanted.keys()].join(", ")}, but still at ${still}: ${errorText(error)}`;
      log.error(
        { error: errorText(error), listening: [...this.#listeners.keys()], retryMs },
        "not listening where configured: still listening where it was, and trying again",
      );
      const timer = clock.schedule(retryMs, () => this.#tryChange());
      this.#cancelRetry = () => timer.cancel();
    });
  }

  /** Until what is open is what is wanted, which may change meanwhile. */
  async #change(): Promise<void> {
    if (this.#changing) return;
    this.#changing = true;
    try {
      while (!this.#closed && !sameNames(this.#wanted, this.#listeners)) await this.#step();
      this.#unopened = undefined;
    } finally {
      this.#changing = false;
    }
  }

  async #step(): Promise<void> {
    const wanted = this.#wanted;
    const before = this.#listeners;
    const opened = await this.#openNew(wanted);
    if (this.#closed) {
      for (const listener of opened.values()) listener.close();
      return;
    }
    this.#listeners = new Map(opened);
    for (const [name, listener] of before) {
      if (wanted.has(name)) this.#listeners.set(name, listener);
      else this.#drain(listener);
    }
    for (const listener of this.#listeners.values()) listener.share(false);
    this.#cancelRetry();
    this.setPasswords();
  }

  #bound(): Listener[] {
    return [...this.#listeners.values(), ...this.#draining.keys()];
  }

  #drain(listener: Listener): void {
    listener.drain();
    const timer = this.#options.clock.schedule(DRAIN_MS, () => {
      this.#draining.delete(listener);
      listener.close();
    });
    this.#draining.set(listener, timer);
  }

  /** All that are missing, or none. */
  async #openNew(wanted: ReadonlyMap<string, ListenConfig>): Promise<Map<string, Listener>> {
    const { transport, passwords, onConnection } = this.#options;
    const opened = new Map<string, Listener>();
    try {
      for (const listener of this.#bound()) listener.share(true);
      for (const [name, place] of wanted) {
        if (this.#listeners.has(name)) continue;
        const options = { ...place, passwords: passwords(), shared: this.#bound().length > 0 };
        opened.set(name, await transport.listen(options, onConnection));
      }
    } catch (error) {
      for (const listener of opened.values()) listener.close();
      for (const listener of this.#listeners.values()) listener.share(false);
      throw error;
    }
    return opened;
  }
}

/** Each address by itself, so that a change closes nothing that is still wanted. */
function byName(places: readonly ListenConfig[]): Map<string, ListenConfig> {
  const found = new Map<string, ListenConfig>();
  for (const { addresses, ...rest } of places) {
    const where = `port ${rest.port}${rest.device === undefined ? "" : ` on ${rest.device}`}`;
    if (addresses === undefined) found.set(`every address ${where}`, rest);
    for (const address of addresses ?? []) {
      found.set(`${formatAddress(address)} ${where}`, { ...rest, addresses: [address] });
    }
  }
  return found;
}

function sameNames(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((name) => b.has(name));
}
