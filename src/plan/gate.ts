/**
 * The receiving half of "accept first, then send": when a node opens and when it closes each tunnel
 * encapsulation. Pure; the agent feeds it what the datastore shows.
 *
 * Senders and receivers agree through the datastore as two flags do in Dekker's algorithm:
 *
 *     sender                                   receiver
 *     announce "may send E", read it back      publish "accepts" without E, read it back
 *     send E only if the receiver accepts it   close E only if nobody has announced it
 *
 * Each reads only after its own write is visible, and the datastore orders all writes. So of two
 * that race at least one sees the other, and a node never sends what its destination has closed,
 * however long any process sleeps between two steps.
 *
 *     closed --needed--> open --not needed--> closing --seen withdrawn + drain--> closed
 *                          ^-------needed--------'
 */

import type { Encapsulation } from "../model/index.ts";

export type Tunnel = Exclude<Encapsulation, "none">;
export const tunnels: readonly Tunnel[] = ["ipip", "vxlan", "vxlan-v6"];

/** Per tunnel encapsulation that is not closed. `quietSinceMs` is set once nobody can send it any more. */
export type GatePhase =
  | { readonly kind: "open" }
  | { readonly kind: "closing"; readonly quietSinceMs: number | undefined };

export type GateState = ReadonlyMap<Tunnel, GatePhase>;

export interface GateInput {
  /** A pool asks for it, or some node, this one included, has announced that it may send it. */
  readonly needed: ReadonlySet<Encapsulation>;
  /** What this node's own NodeMode says it accepts, as read back from the datastore. */
  readonly publishedAccepts: ReadonlySet<Encapsulation>;
  /** Some other node has not published what it may send: it may send whatever is open. */
  readonly silentSenders: boolean;
  readonly nowMs: number;
  /** How long a packet may be on its way. */
  readonly drainMs: number;
}

export interface GateOutput {
  readonly state: GateState;
  /** Must be receivable now: open and closing. */
  readonly receive: readonly Tunnel[];
  /** May be published as accepted, once the kernel really receives it. */
  readonly offer: readonly Tunnel[];
  /** When to step again, if nothing else happens. */
  readonly wakeAtMs: number | undefined;
}

/** What a starting agent finds open: everything it has published or its kernel still receives. */
export function initialGate(found: Iterable<Encapsulation>): GateState {
  const state = new Map<Tunnel, GatePhase>();
  for (const encapsulation of found) {
    if (encapsulation !== "none") state.set(encapsulation, { kind: "open" });
  }
  return state;
}

export function stepGate(state: GateState, input: GateInput): GateOutput {
  const next = new Map<Tunnel, GatePhase>();
  let wakeAtMs: number | undefined;
  for (const tunnel of tunnels) {
    const phase = stepTunnel(tunnel, state.get(tunnel), input);
    if (!phase) continue;
    next.set(tunnel, phase);
    if (phase.kind === "closing" && phase.quietSinceMs !== undefined) {
      const closesAtMs = phase.quietSinceMs + input.drainMs;
      wakeAtMs = Math.min(wakeAtMs ?? closesAtMs, closesAtMs);
    }
  }
  const receive = [...next.keys()];
  return {
    state: next,
    receive,
    offer: receive.filter((tunnel) => next.get(tunnel)?.kind === "open"),
    wakeAtMs,
  };
}

function stepTunnel(
  tunnel: Tunnel,
  phase: GatePhase | undefined,
  { needed, publishedAccepts, silentSenders, nowMs, drainMs }: GateInput,
): GatePhase | undefined {
  if (needed.has(tunnel)) return { kind: "open" };
  if (!phase) return undefined;
  // Until our withdrawal can be read by others, one of them may still begin to send.
  const mayBegin = publishedAccepts.has(tunnel) || silentSenders;
  if (mayBegin) return { kind: "closing", quietSinceMs: undefined };
  const quietSinceMs = (phase.kind === "closing" ? phase.quietSinceMs : undefined) ?? nowMs;
  return nowMs - quietSinceMs >= drainMs ? undefined : { kind: "closing", quietSinceMs };
}
