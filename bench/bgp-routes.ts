/**
 * What the feeders of the BGP benchmark send, and how one sees at a receiving peer that the last of it has
 * come out. Attributes have a generation, which tells one announcement of a prefix from the next. Pure.
 */

import type { AddressFamily } from "../src/bgp/index.ts";
import type { Ipv6, Prefix } from "../src/lib/index.ts";
import { type BgpCase, prefixCount, type Step } from "./bgp-cases.ts";
import { feederOf } from "./bgp-peers.ts";

/** A /24 each from 20.0.0.0 on, and a /48 each from 2a00:: on, of which the upper 48 bits count. */
const FIRST_IPV4 = 0x14000000;
const FIRST_IPV6 = 0x2a0000000000;
const ROUTE_FLAPS = 200;
/** Prefixes that share one set of attributes, in a table such as the Internet's. */
const PREFIXES_PER_SET = 17;
/** The last AS of a path is the set's number beyond a multiple of this, of generation 0, 1 and so on. */
const GENERATION_SPAN = 100_000;

export interface RouteAttributes {
  readonly asPath: readonly number[];
  readonly med?: number;
  readonly communities: readonly number[];
}

/** All of a feeder's prefixes announced, with attributes of a generation; or withdrawn. */
export type Pass =
  | { readonly kind: "announce"; readonly generation: number }
  | { readonly kind: "withdraw" };

/** Prefixes by their number that share a set of attributes. */
export interface RouteSet {
  readonly number: number;
  readonly prefixes: readonly number[];
}

export function prefixAt(family: AddressFamily, index: number): Prefix {
  if (family === "ipv4-unicast") return { address: FIRST_IPV4 + index * 256, length: 24 } as Prefix;
  return { address: (BigInt(FIRST_IPV6 + index) << 80n) as Ipv6, length: 48 };
}

/** `head`: of an IPv4 prefix the address, of an IPv6 one its upper 48 bits. */
export function prefixIndex(family: AddressFamily, head: number): number {
  return family === "ipv4-unicast" ? (head - FIRST_IPV4) / 256 : head - FIRST_IPV6;
}

const announce = (generation: number): Pass => ({ kind: "announce", generation });
const withdraw: Pass = { kind: "withdraw" };

/** What the feeder does in the step, in order, as fast as the subject reads. */
export function passes(bgp: BgpCase, step: Step, feeder: number): readonly Pass[] {
  const times = (count: number, each: (round: number) => Pass[]): Pass[] =>
    Array.from({ length: count }, (_, round) => each(round)).flat();
  switch (step) {
    case "announce":
      return [announce(0)];
    case "withdraw":
      return [withdraw];
    case "churn": {
      const { churnRounds } = bgp;
      const round = (i: number) => [announce(2 * i + 1), announce(2 * i + 2), withdraw];
      return [...times(churnRounds, round), announce(2 * churnRounds + 1)];
    }
    case "route-flap":
      if (feeder !== 0) return [];
      return [...times(ROUTE_FLAPS, () => [withdraw, announce(1)]), announce(2)];
    case "session-flap":
      return feeder === 0 ? [announce(0)] : [];
  }
}

export function routeSets(bgp: BgpCase, feeder: number): RouteSet[] {
  const { shape, overlapping, prefixes: count, feeders } = bgp;
  const first = overlapping ? 0 : feeder * count;
  // A multiple of the feeders, so that the prefixes of a set have the same feeder as their best.
  const many = feeders * Math.max(1, Math.floor(count / PREFIXES_PER_SET / feeders));
  const sets = shape === "fabric" ? many : 1;
  return Array.from({ length: sets }, (_, set) => ({
    number: set,
    prefixes: Array.from(
      { length: Math.ceil((count - set) / sets) },
      (_, i) => first + set + i * sets,
    ),
  }));
}

/** No two sets of a feeder are equal, nor is one equal to itself in another generation. */
export function attributesOf(
  bgp: BgpCase,
  feeder: number,
  { set, generation }: { readonly set: number; readonly generation: number },
): RouteAttributes {
  const last = GENERATION_SPAN * (1 + generation) + set;
  if (bgp.shape !== "fabric") return { asPath: [last], communities: [] };
  const length = bgp.overlapping ? 1 + ((set + feeder) % bgp.feeders) : 1 + (set % 5);
  const way = Array.from({ length }, (_, hop) => 1000 + ((set * 31 + hop * 7) % 60_000));
  const communities = Array.from({ length: set % 4 }, (_, i) => 65_536 * 100 + ((set + i) % 900));
  return {
    asPath: [feederOf(bgp, feeder).as, ...way, last],
    communities,
    ...(set % 3 === 0 ? { med: set % 100 } : {}),
  };
}

/** What a receiving peer waits for. */
export type Wanted =
  | {
      /** To be told so many prefixes as they should be in the end. */
      readonly kind: "told";
      readonly count: number;
      readonly right: (prefix: number, asPath: readonly number[]) => boolean;
    }
  /** To hold so many prefixes less than before. */
  | { readonly kind: "fewer"; readonly count: number };

export type Receiver = "receiver" | number;

/**
 * Who waits for what in a step; `undefined`: of no concern. Routes are told to the receiver, and to every
 * client of a reflector those of the others. `session-flap` is the time after the session has come back.
 */
export function wantedAt(bgp: BgpCase, step: Step, who: Receiver): Wanted | undefined {
  if (who !== "receiver" && bgp.shape !== "reflector") return undefined;
  const all = prefixCount(bgp);
  // Some reflect a client's own routes to it as well.
  const own = (prefix: number) => Math.floor(prefix / bgp.prefixes) === who;
  const others: Wanted = { kind: "told", count: all - bgp.prefixes, right: (index) => !own(index) };
  if (step === "withdraw") return { kind: "fewer", count: all };
  // It begins with nothing, and is told all that the others have.
  if (step === "session-flap" && who === 0) return others;
  if (step === "route-flap" || step === "session-flap") {
    if (who === 0) return undefined;
    const right = lastRight(bgp, step);
    const { prefixes } = bgp;
    return {
      ...{ kind: "told", count: prefixes },
      right: (prefix, path) => prefix < prefixes && right(path),
    };
  }
  if (who !== "receiver") return others;
  const right = lastRight(bgp, step);
  if (!bgp.overlapping) return { kind: "told", count: all, right: (_, path) => right(path) };
  const { feeders } = bgp;
  const best = (prefix: number) => feederOf(bgp, (feeders - (prefix % feeders)) % feeders).as;
  // The subject's own AS stands before.
  return {
    ...{ kind: "told", count: all },
    right: (prefix, path) => path[1] === best(prefix) && right(path),
  };
}

/** While the first feeder's session is down. */
export function wantedWhileDown(bgp: BgpCase, who: Receiver): Wanted | undefined {
  if (who === 0 || (who !== "receiver" && bgp.shape !== "reflector")) return undefined;
  return { kind: "fewer", count: bgp.prefixes };
}

/** Whether a path is of the last generation of the step. */
function lastRight(bgp: BgpCase, step: Step): (asPath: readonly number[]) => boolean {
  const last = passes(bgp, step, 0).at(-1);
  const generation = last?.kind === "announce" ? last.generation : undefined;
  return (asPath) => Math.floor((asPath.at(-1) ?? 0) / GENERATION_SPAN) - 1 === generation;
}
