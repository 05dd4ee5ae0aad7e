/**
 * Sessions between nodes that the resources no longer ask for, because somebody has turned the mesh off, made
 * a node a reflector or taken a BGPPeer away: they stay until sessions that are asked for have told of
 * everything, but not for ever. Both ends do so, and whoever is done first leaves without a word, so that
 * the other keeps its routes meanwhile (RFC 4724).
 *
 * A change of the mesh that is ordered (`mode mesh`) sees to this itself, and for the cluster as a whole.
 */

import type { PeerConfig } from "../bgp/index.ts";
import { formatAddress, formatPrefix, type IpAddress, type Prefix } from "../lib/index.ts";
import type { BgpPlan, PeeringType } from "./peering/index.ts";

/** As long as neighbours keep the routes of one that has gone. */
const LIMIT_MS = 120_000;

export interface PartingInput {
  /** What the resources ask for. */
  readonly plan: BgpPlan;
  /** Addresses of the other nodes: whoever is none of them is left at once. */
  readonly nodes: ReadonlySet<IpAddress>;
  /** Peers whose routes this node has, by name. */
  readonly carrying: ReadonlySet<string>;
  /** Prefixes that no Established session but those with these peers has told of. O(routes). */
  readonly untold: (without: ReadonlySet<string>) => readonly Prefix[];
  /** A change of the mesh is ordered. */
  readonly ordered: boolean;
  readonly nowMs: number;
}

export interface PartingOutput {
  /** What is to be spoken. */
  readonly plan: BgpPlan;
  /** Peers that are kept though nothing asks for them. */
  readonly kept: readonly IpAddress[];
  readonly untold: readonly Prefix[];
  /** When they are to go whatever is told. */
  readonly dueMs: number | undefined;
}

interface Spoken {
  readonly config: PeerConfig;
  readonly type: PeeringType;
  /** Undefined while something asks for it. */
  readonly sinceMs: number | undefined;
}

const MOST_NAMED = 4;

/** For the operator. */
export function keptLines({ kept, untold }: PartingOutput): string[] {
  if (kept.length === 0) return [];
  const sessions = listed(kept.map(formatAddress));
  const what = listed(untold.map(formatPrefix));
  return [
    `BGP sessions with ${sessions} are not configured any more; they are kept for 2 minutes at most, as no other session tells of ${what}`,
  ];
}

function listed(texts: readonly string[]): string {
  const more = texts.length - MOST_NAMED;
  return [...texts.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

export class Parting {
  /** By name. */
  #spoken: ReadonlyMap<string, Spoken> = new Map();
  #identity: string | undefined;

  step(input: PartingInput): PartingOutput {
    const plan = withQuietEnds(input);
    const { config } = plan;
    const identity = `${config.localAs} ${config.routerId}`;
    const candidates = identity === this.#identity ? this.#candidates(input) : [];
    this.#identity = identity;
    const untold =
      candidates.length === 0 ? [] : input.untold(new Set(candidates.map(([name]) => name)));
    const kept = untold.length === 0 ? [] : candidates;
    const types = new Map([
      ...plan.types,
      ...kept.map(([name, { type }]) => [name, type] as const),
    ]);
    const wanted = config.peers.map((peer): [string, Spoken] => [
      peer.name,
      { config: peer, type: plan.types.get(peer.name) ?? "global", sinceMs: undefined },
    ]);
    this.#spoken = new Map([...wanted, ...kept]);
    if (kept.length === 0) return { plan, kept: [], untold, dueMs: undefined };
    const peers = [...config.peers, ...kept.map(([, spoken]) => spoken.config)];
    return {
      plan: { ...plan, types, config: { ...config, peers } },
      kept: kept.map(([, spoken]) => spoken.config.address),
      untold,
      dueMs: Math.min(...kept.map(([, { sinceMs = input.nowMs }]) => sinceMs + LIMIT_MS)),
    };
  }

  /** What was spoken, is not asked for, and may be kept. */
  #candidates(input: PartingInput): [string, Spoken][] {
    const { plan, nodes, carrying, ordered, nowMs } = input;
    const asked = new Set(plan.config.peers.map(({ address }) => address));
    const names = new Set(plan.config.peers.map(({ name }) => name));
    return [...this.#spoken].flatMap(([name, { config, type, sinceMs }]): [string, Spoken][] => {
      if (asked.has(config.address) || names.has(name) || !nodes.has(config.address)) return [];
      if (!carrying.has(name) || (ordered && sinceMs === undefined)) return [];
      const since = sinceMs ?? nowMs;
      return nowMs - since < LIMIT_MS ? [[name, { config, type, sinceMs: since }]] : [];
    });
  }
}

/** Between nodes, both ends follow the same resources: the slower one is not to lose its routes. */
function withQuietEnds({ plan, nodes, ordered }: PartingInput): BgpPlan {
  if (ordered) return plan;
  const peers = plan.config.peers.map((peer) =>
    nodes.has(peer.address) ? { ...peer, leaveQuietly: true } : peer,
  );
  return { ...plan, config: { ...plan.config, peers } };
}
