/** The next status of a change: what every transition has in common. */

import type { ChangeOrders, ChangePhase, ModeChangeStatus } from "../../model/index.ts";
import type { Advance, Running } from "./types.ts";

/** Ends: nothing follows, and no orders are in force. */
export function hasEnded(phase: ChangePhase): boolean {
  return phase === "Done" || phase === "Refused" || phase === "RolledBack";
}

export interface Step extends Partial<Omit<ModeChangeStatus, "orders" | "history">> {
  /** Changes of the orders; `none` withdraws them; absent: they stay. */
  readonly orders?: Partial<Omit<ChangeOrders, "step">> | "none";
  /** For the history, in words. */
  readonly message: string;
  /** Added to what is there already. */
  readonly attention?: string[];
}

const noOrders = { step: 0, widen: false, prove: "no", guard: false, moved: [] } as const;

export function step(running: Running, { orders, message, attention, ...fields }: Step): Advance {
  const { status, moment } = running;
  const at = timeText(moment.wallMs);
  const phase = fields.phase ?? status.phase;
  const { orders: before, attention: noted = [], ...kept } = status;
  const notes = [...new Set([...noted, ...(attention ?? [])])];
  const withdrawn = orders === "none" || hasEnded(phase);
  const given = withdrawn ? undefined : ordersAfter({ before, orders, key: moment.key });
  return {
    kind: "status",
    status: {
      ...kept,
      ...fields,
      phase,
      phaseSince: phase === status.phase ? status.phaseSince : at,
      ...(given && { orders: given }),
      ...(notes.length > 0 && { attention: notes }),
      history: [...status.history, { at, phase, message }],
    },
  };
}

function ordersAfter(options: {
  readonly before: ChangeOrders | undefined;
  readonly orders: Step["orders"];
  readonly key: string;
}): ChangeOrders | undefined {
  const { before, orders, key } = options;
  if (orders === undefined || orders === "none") return before;
  const base = before ?? { ...noOrders, moved: [], key };
  return { ...base, ...orders, step: base.step + 1 };
}

/** Until something happens, or the stage has taken as long as it may. */
export function waitUpTo({ moment }: Running, boundMs: number): Advance {
  return { kind: "wait", wakeInMs: Math.max(0, boundMs - moment.stageForMs) };
}

export function isOver({ moment }: Running, boundMs: number): boolean {
  return moment.stageForMs >= boundMs;
}

export function timeText(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
