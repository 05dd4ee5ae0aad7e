/**
 * Keeps the router's kernel in step with what BGP learned: one atomic replace per change, protocol bird.
 * Routes that an earlier router process left are adopted: they stay as they are until BGP has said all it
 * knows (RFC 4724 section 4.1: a restarted speaker defers its choice; the first to speak is not the best).
 */

import {
  type Family,
  formatAddress,
  formatPrefix,
  hasCode,
  type IpAddress,
  type Prefix,
} from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import { type Request, type Route, routeDelete, routeReplace } from "../../netlink/index.ts";

/** rtnetlink.h: RTPROT_BIRD. */
export const RTPROT_BIRD = 12;

/** The part of a RouteSocket that is used here. */
export interface RouteTable {
  routes(filter: { readonly family: Family; readonly protocol: number }): Promise<Route[]>;
  execute(requests: readonly Request[]): Promise<(Error | undefined)[]>;
}

/** The best route to a prefix, or that there is none. */
export interface BestRoute {
  readonly prefix: Prefix;
  readonly best: { readonly nextHop: IpAddress } | undefined;
}

interface Step {
  readonly prefix: Prefix;
  readonly nextHop: IpAddress | undefined;
  readonly request: Request;
}

interface Held {
  readonly prefix: Prefix;
  readonly nextHop: IpAddress | undefined;
}

export class KernelRoutes {
  readonly #table: RouteTable;
  readonly #log: Log;
  /** What the kernel holds, by text of the prefix. */
  readonly #held = new Map<string, Held>();
  /** Adopted, until BGP has said all it knows: what it has said about the prefix so far. */
  readonly #adopted = new Map<string, BestRoute>();
  readonly #failures = new Map<string, string>();
  #last: Promise<void> = Promise.resolve();

  constructor(table: RouteTable, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  /** Reads what an earlier process left. */
  async adopt(): Promise<void> {
    for (const family of [4, 6] as const) {
      for (const route of await this.#table.routes({ family, protocol: RTPROT_BIRD })) {
        const key = formatPrefix(route.destination);
        this.#held.set(key, { prefix: route.destination, nextHop: route.gateway });
        this.#adopted.set(key, { prefix: route.destination, best: undefined });
      }
    }
  }

  /** Programs changes, in the order of calls; those of adopted routes wait for {@link converge}. */
  apply(changes: readonly BestRoute[]): Promise<void> {
    return this.#inTurn(() => {
      const steps = changes.flatMap((change) => {
        const key = formatPrefix(change.prefix);
        if (!this.#adopted.has(key)) return this.#step(change);
        this.#adopted.set(key, change);
        return [];
      });
      return this.#execute(steps);
    });
  }

  /** BGP has said all it knows: adopted routes become what it said, and go if it said nothing. */
  converge(): Promise<void> {
    return this.#inTurn(() => {
      const steps = [...this.#adopted.values()].flatMap((change) => this.#step(change));
      this.#adopted.clear();
      return this.#execute(steps);
    });
  }

  /** Prefix to next hop, as text. */
  get routes(): Readonly<Record<string, string>> {
    const entries = [...this.#held].map(([key, { nextHop }]) => {
      return [key, nextHop === undefined ? "" : formatAddress(nextHop)] as const;
    });
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get failures(): readonly string[] {
    return [...this.#failures.values()];
  }

  #inTurn(operation: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(operation);
    return this.#last;
  }

  #step({ prefix, best }: BestRoute): Step[] {
    const key = formatPrefix(prefix);
    const held = this.#held.get(key);
    if (best === undefined) {
      this.#failures.delete(key);
      if (held === undefined) return [];
      return [{ prefix, nextHop: undefined, request: routeDelete(routeOf(prefix)) }];
    }
    if (held?.nextHop === best.nextHop) return [];
    const request = routeReplace(routeOf(prefix, best.nextHop));
    return [{ prefix, nextHop: best.nextHop, request }];
  }

  async #execute(steps: readonly Step[]): Promise<void> {
    if (steps.length === 0) return;
    const results = await this.#table.execute(steps.map(({ request }) => request));
    for (const [index, { prefix, nextHop, request }] of steps.entries()) {
      const key = formatPrefix(prefix);
      const error = nextHop === undefined ? unlessGone(results[index]) : results[index];
      if (error !== undefined) {
        this.#failures.set(key, error.message);
        this.#log.error({ route: request.text, err: error }, "the kernel refused a route");
        continue;
      }
      this.#failures.delete(key);
      if (nextHop === undefined) this.#held.delete(key);
      else this.#held.set(key, { prefix, nextHop });
      this.#log.info({ route: request.text }, "route programmed");
    }
  }
}

/** ESRCH: what should go is gone, with its device perhaps. */
function unlessGone(error: Error | undefined): Error | undefined {
  const gone = hasCode(error, "NETLINK_REFUSED") && error.details.errno === "ESRCH";
  return gone ? undefined : error;
}

function routeOf(prefix: Prefix, gateway?: IpAddress): Route {
  return {
    type: "unicast",
    destination: prefix,
    protocol: RTPROT_BIRD,
    ...(gateway !== undefined && { gateway }),
  };
}
