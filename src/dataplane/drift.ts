/**
 * Tells when something that may be ours changed in the kernel, from netlink events. Deliberately coarse:
 * the next apply finds out what it was. Our own writes of routes are not told; those of other things are,
 * and an apply that has nothing to do writes nothing, and so ends it.
 */

import { setImmediate } from "node:timers/promises";
import type { Clock, Timer } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { type Monitor, type NetlinkEvent, openMonitor } from "../netlink/index.ts";
import { PROOF_RULE_PRIORITY, PROOF_TABLE } from "../plan/index.ts";
import { isTunnelDevice, isWorkloadDevice, type Ownership, ownsAddress } from "./ownership.ts";

/** Events of one change come in bursts: a device that goes takes its routes with it. */
const DEBOUNCE_MS = 50;
/** Those that hold anything of ours. */
const TABLES: readonly number[] = [254, PROOF_TABLE];
/** Some 2 ms of work. */
const EVENTS_PER_TURN = 500;

export interface DriftWatchOptions {
  readonly namespace?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ownership: () => Ownership;
  /** Its routes go without a word when it goes down (fib_disable_ip of the kernel). */
  readonly uplink: () => string | undefined;
  /** {@link RouteSocket.port} of the socket whose routes are our own doing. */
  readonly ownPort: number;
  /** Sees every event. */
  readonly observe: (event: NetlinkEvent) => void;
}

export class DriftWatch {
  readonly #options: DriftWatchOptions;
  readonly #listeners = new Set<() => void>();
  readonly #monitor: Monitor;
  /** Devices of interest seen so far, by index: events name a device by its index only. */
  readonly #devices = new Map<number, string>();
  /** MTU and state of devices that reported any. */
  readonly #signatures = new Map<number, string>();
  #timer: Timer | undefined;
  #seen = 0;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
    const { namespace, ownPort } = options;
    this.#monitor = openMonitor({
      groups: [
        "link",
        "ipv4-address",
        "ipv4-route",
        "ipv4-rule",
        "ipv6-address",
        "ipv6-route",
        "ipv6-rule",
        "neighbour",
      ],
      ignoreRoutesOf: ownPort,
      ...(namespace === undefined ? {} : { namespace }),
    });
    void this.#follow();
  }

  /** Names of devices that exist already. */
  learn(links: readonly { readonly index: number; readonly name: string }[]): void {
    for (const { index, name } of links) this.#devices.set(index, name);
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
    this.#monitor.close();
  }

  /** Events so far that may concern what is ours. */
  get seen(): number {
    return this.#seen;
  }

  /** Takes in what has happened up to now, without waiting for the event loop. */
  catchUp(): void {
    while (this.#takeSome());
  }

  /** False once there is nothing more. */
  #takeSome(): boolean {
    const events = this.#monitor.take(EVENTS_PER_TURN);
    for (const event of events) {
      this.#options.observe(event);
      if (!this.#concerns(event)) continue;
      this.#seen++;
      this.#noted();
    }
    return events.length >= EVENTS_PER_TURN;
  }

  async #follow(): Promise<void> {
    const { log } = this.#options;
    try {
      while (await this.#monitor.ready()) {
        while (this.#takeSome()) await setImmediate();
      }
    } catch (error) {
      // The agent's periodic full compare still finds what is not reported any more.
      log.error({ err: error }, "watching the kernel for changes ended");
    }
  }

  #noted(): void {
    if (this.#timer !== undefined || this.#listeners.size === 0) return;
    this.#timer = this.#options.clock.schedule(
      DEBOUNCE_MS,
      () => {
        this.#timer = undefined;
        for (const listener of this.#listeners) listener();
      },
      { unref: true },
    );
  }

  #concerns(event: NetlinkEvent): boolean {
    switch (event.kind) {
      case "overrun":
        return true;
      case "link": {
        const { index, name } = event.link;
        const known = this.#devices.get(index);
        if (event.removed) this.#devices.delete(index);
        else this.#devices.set(index, name);
        const { mtu, operState } = event.link;
        const signature = event.removed ? undefined : `${mtu} ${operState}`;
        const before = this.#signatures.get(index);
        if (signature === undefined) this.#signatures.delete(index);
        else this.#signatures.set(index, signature);
        // The fabric's MTU hangs on the host's own interfaces, seldom on veths, which come with containers.
        if (event.link.kind !== "veth" && signature !== before) return true;
        return this.#isOurDevice(name) || this.#isOurDevice(known);
      }
      case "address": {
        const ownership = this.#options.ownership();
        const device = this.#devices.get(event.address.index);
        // The node's address may appear on any device of the host; pods' devices have those that we gave them.
        return (
          !isWorkloadDevice(ownership, device) || ownsAddress(ownership, event.address, device)
        );
      }
      case "neighbour":
        return this.#isPermanentEntry(event.neighbour);
      case "fdb":
        return this.#isPermanentEntry(event.entry);
      case "route": {
        const { route } = event;
        // Whoever wrote it: it may stand in the place of ours, or be the way to a next hop.
        return TABLES.includes(route.table ?? 254);
      }
      case "rule":
        // Any may stand before ours, or be one of ours.
        return event.rule.priority <= PROOF_RULE_PRIORITY;
      default:
        return false;
    }
  }

  /** Learned entries come and go by themselves. The kernel tells of a deleted neighbour as `failed`. */
  #isPermanentEntry(entry: { readonly index: number; readonly state: string }): boolean {
    const { index, state } = entry;
    const lasting = state === "permanent" || state === "failed";
    return lasting && isTunnelDevice(this.#devices.get(index));
  }

  #isOurDevice(name: string | undefined): boolean {
    const { ownership, uplink } = this.#options;
    if (name === undefined) return false;
    return isTunnelDevice(name) || isWorkloadDevice(ownership(), name) || name === uplink();
  }
}
