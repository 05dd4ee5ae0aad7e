/**
 * Keeps a {@link RouteTable} true to the kernel: reads it whole at the start, after events were lost or
 * leave something open, and every so often in any case; in between it follows events and our own writes.
 */

import { setImmediate } from "node:timers/promises";
import type { Clock } from "../lib/index.ts";
import type { NetlinkEvent, Route } from "../netlink/index.ts";
import { RouteTable } from "./route-table.ts";

/** Some 2 ms of work. */
const ROUTES_PER_TURN = 4000;
const TABLE_MAIN = 254;

export interface RouteKeeperOptions {
  /** Reads table main. */
  readonly read: () => Promise<readonly Route[]>;
  /** Hands every event that has happened to {@link RouteKeeper.observe}. */
  readonly catchUp: () => void;
  readonly clock: Clock;
  /** Age at which the table is read again though no event asks for it. */
  readonly checkMs: number;
}

export class RouteKeeper {
  readonly #options: RouteKeeperOptions;
  #table = new RouteTable();
  #stale = true;
  #readAtMs = 0;
  /** Route events that came while the table was read. */
  #meanwhile: { readonly route: Route; readonly removed: boolean }[] | undefined;

  constructor(options: RouteKeeperOptions) {
    this.#options = options;
  }

  /** The table is read again before it is used next. */
  invalidate(): void {
    this.#stale = true;
  }

  observe(event: NetlinkEvent): void {
    switch (event.kind) {
      case "overrun":
        this.invalidate();
        break;
      case "link": {
        // Routes over a device that goes down go without a word (fib_disable_ip of the kernel).
        const { index, up } = event.link;
        if ((event.removed || !up) && this.#table.uses(index)) this.invalidate();
        break;
      }
      case "address":
        // With the last address of a device, and with any that is a preferred source, likewise.
        if (event.removed) this.invalidate();
        break;
      case "route": {
        const { route, removed } = event;
        if ((route.table ?? TABLE_MAIN) !== TABLE_MAIN) break;
        this.#meanwhile?.push({ route, removed });
        if (!this.#table.note(route, removed)) this.invalidate();
        break;
      }
    }
  }

  /** The table as the kernel holds it now. */
  async current(): Promise<RouteTable> {
    const { catchUp, clock, checkMs } = this.#options;
    catchUp();
    if (this.#stale || clock.monotonicMs() - this.#readAtMs >= checkMs) await this.#read();
    return this.#table;
  }

  async #read(): Promise<void> {
    const { read, catchUp, clock } = this.#options;
    this.#stale = false;
    this.#meanwhile = [];
    try {
      const routes = await read();
      const table = new RouteTable(this.#table);
      for (let i = 0; i < routes.length; i++) {
        if (i % ROUTES_PER_TURN === ROUTES_PER_TURN - 1) await setImmediate();
        table.append(routes[i]!);
      }
      catchUp();
      this.#table = table;
      for (const { route, removed } of this.#meanwhile) {
        // The dump may hold the route from before or after the event.
        if (!table.note(route, removed)) this.invalidate();
      }
      this.#readAtMs = clock.monotonicMs();
    } catch (error) {
      this.invalidate();
      throw error;
    } finally {
      this.#meanwhile = undefined;
    }
  }
}
