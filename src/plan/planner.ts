/**
 * The plan of a node kept up to date: one changed block or learned route costs the planning of that prefix,
 * not of all. What is planned for a prefix depends on that prefix's own facts and on those that are common
 * to all (nodes, pools, settings, ...); {@link Planner} holds the common ones fixed and runs the same pure
 * functions as `plan` over the prefixes that changed. When a common fact changes, a new planner is made.
 */

import { formatPrefix, isHostPrefix, type Prefix } from "../lib/index.ts";
import { chooseDestinations } from "./destinations.ts";
import { plan } from "./plan.ts";
import { planRoutes } from "./routes.ts";
import { ipipDestinations, withProofs } from "./tunnels.ts";
import type {
  BlockFacts,
  Destination,
  IpipPlan,
  LearnedFacts,
  NodePlan,
  RoutePlan,
  Snapshot,
} from "./types.ts";

/** What the datastore and BGP say of one prefix; empty lists where they say nothing. */
export interface PrefixFacts {
  readonly blocks: readonly BlockFacts[];
  readonly learned: readonly LearnedFacts[];
}

/** What the plan says of one prefix now, where it said something else before. */
export interface PrefixChange {
  readonly prefix: Prefix;
  readonly routes: readonly RoutePlan[];
  readonly ipip: IpipPlan["destinations"];
  readonly destinations: readonly Destination[];
}

interface Entry extends PrefixFacts, PrefixChange {}

/** Prefixes taken in or planned, some 2 ms of work, between two breaths of {@link Planner.load}. */
const PREFIXES_PER_STEP = 500;

const NOTHING: PrefixFacts & Pick<Entry, "routes" | "ipip" | "destinations"> = {
  blocks: [],
  learned: [],
  routes: [],
  ipip: [],
  destinations: [],
};

export class Planner {
  readonly #common: Snapshot;
  /** The plan without anything that hangs on a prefix. */
  readonly #rest: NodePlan;
  readonly #entries = new Map<string, Entry>();
  #plan: NodePlan | undefined;

  private constructor(snapshot: Snapshot) {
    this.#common = { ...snapshot, blocks: [], learned: [], workloads: [] };
    this.#rest = plan({ ...snapshot, blocks: [], learned: [] });
  }

  /** A planner that knows all of a snapshot; breathe at each yield. @throws as `plan` does. */
  static *load(snapshot: Snapshot): Generator<void, Planner> {
    const planner = new Planner(snapshot);
    const facts = new Map<string, PrefixFacts & { readonly prefix: Prefix }>();
    const add = (prefix: Prefix, more: Partial<PrefixFacts>) => {
      const key = formatPrefix(prefix);
      const { blocks, learned } = facts.get(key) ?? NOTHING;
      facts.set(key, {
        prefix,
        blocks: joined(blocks, more.blocks),
        learned: joined(learned, more.learned),
      });
    };
    let taken = 0;
    for (const block of snapshot.blocks) {
      add(block.prefix, { blocks: [block] });
      if (++taken % PREFIXES_PER_STEP === 0) yield;
    }
    for (const learned of snapshot.learned) {
      add(learned.prefix, { learned: [learned] });
      if (++taken % PREFIXES_PER_STEP === 0) yield;
    }
    let planned = 0;
    for (const [key, { prefix, ...rest }] of facts) {
      planner.#entries.set(key, planner.#planOne(prefix, rest));
      if (++planned % PREFIXES_PER_STEP === 0) yield;
    }
    return planner;
  }

  /** As of now. It changes with the planner: who wants to keep it copies it. */
  get plan(): NodePlan {
    this.#plan ??= this.#assemble();
    return this.#plan;
  }

  /**
   * Takes in what is known of a prefix now; what is not told stays, also where what the kernel sends there
   * (`current`) has changed. Returns what is different in the plan; `nothing` if nothing is;
   * `all` if more than this prefix may be, and a new planner is needed.
   */
  change(prefix: Prefix, facts: Partial<PrefixFacts>): PrefixChange | "nothing" | "all" {
    const key = formatPrefix(prefix);
    const before = this.#entries.get(key);
    const { blocks, learned } = { ...NOTHING, ...before, ...facts };
    const after = this.#planOne(prefix, { blocks, learned });
    if (blocks.length === 0 && learned.length === 0) this.#entries.delete(key);
    else this.#entries.set(key, after);
    this.#plan = undefined;
    if (reachesOut(after) || (before && reachesOut(before))) return "all";
    const same =
      JSON.stringify(shown(before ?? NOTHING), text) === JSON.stringify(shown(after), text);
    if (same) return "nothing";
    return { prefix, routes: after.routes, ipip: after.ipip, destinations: after.destinations };
  }

  #planOne(prefix: Prefix, { blocks, learned }: PrefixFacts): Entry {
    const snapshot = { ...this.#common, blocks, learned };
    const destinations = chooseDestinations(snapshot);
    const routes = planRoutes(snapshot, destinations);
    const ipip = this.#rest.ipip ? ipipDestinations(snapshot) : NOTHING.ipip;
    return {
      prefix,
      blocks,
      learned,
      destinations: compact(destinations),
      routes: compact(routes),
      ipip: compact(ipip),
    };
  }

  #assemble(): NodePlan {
    const rest = this.#rest;
    const entries = this.#entries;
    /** Made when first asked for, since a driver that gets changes asks for none of it. */
    const lazily = <T>(make: () => T) => {
      let made: T | undefined;
      return () => {
        made ??= make();
        return made;
      };
    };
    const routes = lazily(() => [...rest.routes, ...withoutTwins(entries.values())]);
    const destinations = lazily(() => [...entries.values()].flatMap((entry) => entry.destinations));
    // Without any block the rest holds those of the proof alone.
    const proofs = rest.ipip?.destinations ?? EMPTY;
    const ipip = lazily(() =>
      withProofs(
        [...entries.values()].flatMap((entry) => entry.ipip),
        proofs,
      ),
    );
    return {
      ...rest,
      ...(rest.ipip && {
        ipip: {
          ...rest.ipip,
          get destinations() {
            return ipip();
          },
        },
      }),
      get routes() {
        return routes();
      },
      get destinations() {
        return destinations();
      },
    };
  }
}

const EMPTY: readonly never[] = [];

/** Without the room that lists have to grow into: most have one element, and there are very many. */
function compact<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? EMPTY : list.slice();
}

function joined<T>(list: readonly T[], more: readonly T[] = EMPTY): readonly T[] {
  if (more.length === 0) return list;
  return list.length === 0 ? more : [...list, ...more];
}

/**
 * True if what is planned for this prefix is not its own alone: the way to an IPv6 VTEP, which several
 * prefixes share, or a route that may be in the place of a pod's or a VTEP's.
 */
function reachesOut({ prefix, routes, destinations }: Entry): boolean {
  return (
    isHostPrefix(prefix) ||
    routes.length > 1 ||
    destinations.some(({ chosen }) => chosen === "vxlan-v6")
  );
}

/** All routes; of those to one VTEP, which every prefix behind it brings along, the first. */
function* withoutTwins(entries: Iterable<Entry>): Generator<RoutePlan> {
  const vteps = new Set<string>();
  for (const { prefix, routes } of entries) {
    for (const route of routes) {
      const { destination } = route;
      if (destination !== prefix && isHostPrefix(destination) && routes.length > 1) {
        const key = formatPrefix(destination);
        if (key !== formatPrefix(prefix) && vteps.has(key)) continue;
        vteps.add(key);
      }
      yield route;
    }
  }
}

function shown({ routes, ipip, destinations }: Pick<Entry, "routes" | "ipip" | "destinations">) {
  return [routes, ipip, destinations];
}

function text(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
