/**
 * What the BGP benchmark does to a speaker: who its peers are, what they send step by step, and how one
 * sees at a receiving peer that the last route has come out. Pure.
 */

export const SUBJECT_AS = 65000;
export const SUBJECT_ADDRESS = "10.99.0.1";
/** Announces nothing, and is told everything. */
export const RECEIVER = { address: "10.99.0.2", as: 65500 } as const;
/** Speaks IPv6 only, where there is nothing to say: what it hears is keepalives. */
export const QUIET = { address: "10.99.0.3", as: 65501 } as const;
export const QUIET_HOLD_SECONDS = 3;
export const QUIET_KEEPALIVE_SECONDS = 1;

const FIRST_FEEDER_AS = 65001;
/** Addresses of prefix 0; each prefix is a /24. */
const FIRST_PREFIX = 0x14000000;
const PREFIX_LENGTH = 24;
/** The AS path of what a node announces: at first, then in between while it flaps, and at last. */
const FIRST_PATH = [64900];
const PASSING_PATH = [64901];
const LAST_PATH = [64902];
const FLAPS = 200;
/** Prefixes that share one set of attributes, in a table such as the Internet's. */
const PREFIXES_PER_SET = 17;

/** `fabric`: external feeders; `mesh`: internal ones; `reflector`: internal ones that are its clients. */
export type Shape = "fabric" | "mesh" | "reflector";

export interface BgpCase {
  readonly name: string;
  readonly shape: Shape;
  readonly feeders: number;
  /** Of each feeder. */
  readonly prefixes: number;
  /** All feeders announce the same prefixes. */
  readonly overlapping: boolean;
  readonly steps: readonly Step[];
}

export type Step = "announce" | "withdraw" | "flap";

export interface RouteAttributes {
  readonly asPath: readonly number[];
  readonly med?: number;
  readonly communities: readonly number[];
}

/** Prefixes by their number, with one set of attributes; or withdrawn. */
export interface Batch {
  readonly attributes: RouteAttributes | undefined;
  readonly prefixes: readonly number[];
}

/** `scale` 1 is the full size. */
export function bgpCases(scale = 1): readonly BgpCase[] {
  const many = (count: number) => Math.max(1, Math.round(count * scale));
  // So that the feeder whose path is shortest differs from prefix to prefix by turns.
  const tens = (count: number) => Math.max(100, Math.round((count * scale) / 100) * 100);
  const nodes = { feeders: Math.max(2, many(500)), prefixes: 4, overlapping: false };
  return [
    {
      ...{ name: "table", shape: "fabric", feeders: 1, prefixes: many(500_000) },
      ...{ overlapping: false, steps: ["announce", "withdraw"] },
    },
    {
      ...{ name: "overlap", shape: "fabric", feeders: 10, prefixes: tens(100_000) },
      ...{ overlapping: true, steps: ["announce"] },
    },
    { name: "mesh", shape: "mesh", ...nodes, steps: ["announce", "flap"] },
    { name: "reflector", shape: "reflector", ...nodes, steps: ["announce", "flap"] },
  ];
}

export function feederAs({ shape }: BgpCase, feeder: number): number {
  return shape === "fabric" ? FIRST_FEEDER_AS + feeder : SUBJECT_AS;
}

export function feederAddress(feeder: number): string {
  return `10.99.${1 + Math.floor(feeder / 250)}.${1 + (feeder % 250)}`;
}

/** Different prefixes of all feeders together. */
export function prefixCount({ feeders, prefixes, overlapping }: BgpCase): number {
  return overlapping ? prefixes : feeders * prefixes;
}

export function prefixAt(index: number): { readonly address: number; readonly length: number } {
  return { address: FIRST_PREFIX + index * 256, length: PREFIX_LENGTH };
}

export function prefixIndex(address: number): number {
  return (address - FIRST_PREFIX) / 256;
}

/** What the feeder sends in the step, in order. */
export function batches(bgp: BgpCase, step: Step, feeder: number): Batch[] {
  const first = bgp.overlapping ? 0 : feeder * bgp.prefixes;
  const own = Array.from({ length: bgp.prefixes }, (_, i) => first + i);
  if (step === "withdraw") return [{ attributes: undefined, prefixes: own }];
  if (step === "flap") return feeder === 0 ? flaps(own) : [];
  if (bgp.shape !== "fabric") return [{ attributes: nodeAttributes(FIRST_PATH), prefixes: own }];
  const sets = setCount(bgp);
  return Array.from({ length: sets }, (_, set) => ({
    attributes: tableAttributes(bgp, set, feeder),
    prefixes: own
      .slice(0, Math.ceil((own.length - set) / sets))
      .map((_, i) => own[set + i * sets]!),
  }));
}

/** A multiple of the feeders, so that the prefixes of a set have the same feeder as their best. */
function setCount({ prefixes, feeders }: BgpCase): number {
  return feeders * Math.max(1, Math.floor(prefixes / PREFIXES_PER_SET / feeders));
}

function flaps(prefixes: readonly number[]): Batch[] {
  const away: Batch = { attributes: undefined, prefixes };
  const back = { attributes: nodeAttributes(PASSING_PATH), prefixes };
  const rounds = Array.from({ length: FLAPS }, () => [away, back]);
  return [...rounds.flat(), { attributes: nodeAttributes(LAST_PATH), prefixes }];
}

function nodeAttributes(asPath: readonly number[]): RouteAttributes {
  return { asPath, communities: [] };
}

/** No two sets of a feeder are equal: the last AS of the path tells them apart. */
function tableAttributes(bgp: BgpCase, set: number, feeder: number): RouteAttributes {
  const length = bgp.overlapping ? 1 + ((set + feeder) % bgp.feeders) : 1 + (set % 5);
  const way = Array.from({ length }, (_, hop) => 1000 + ((set * 31 + hop * 7) % 60_000));
  const communities = Array.from({ length: set % 4 }, (_, i) => 65_536 * 100 + ((set + i) % 900));
  return {
    asPath: [feederAs(bgp, feeder), ...way, 100_000 + set],
    communities,
    ...(set % 3 === 0 ? { med: set % 100 } : {}),
  };
}

/** Which peers are told routes: the receiver, and every client of a reflector of those of the others. */
export interface Wanted {
  /** Prefixes that are told in the end and are as they should be. */
  readonly count: number;
  /** Whether a prefix that was told with this AS path is as it should be in the end. */
  right(prefix: number, asPath: readonly number[]): boolean;
}

/** `undefined`: of no concern in this step. */
export function wantedAt(bgp: BgpCase, step: Step, who: "receiver" | number): Wanted | undefined {
  if (who !== "receiver" && bgp.shape !== "reflector") return undefined;
  if (step === "withdraw") return { count: 0, right: () => true };
  const all = prefixCount(bgp);
  if (step === "flap") {
    if (who === 0) return undefined;
    return { count: bgp.prefixes, right: (_, path) => path.at(-1) === LAST_PATH[0] };
  }
  if (who !== "receiver") {
    // Some reflect a client's own routes to it as well.
    const own = (prefix: number) => Math.floor(prefix / bgp.prefixes) === who;
    return { count: all - bgp.prefixes, right: (prefix) => !own(prefix) };
  }
  if (!bgp.overlapping) return { count: all, right: () => true };
  const { feeders } = bgp;
  const best = (prefix: number) => feederAs(bgp, (feeders - (prefix % feeders)) % feeders);
  // The subject's own AS stands before.
  return { count: all, right: (prefix, path) => path[1] === best(prefix) };
}
