/** What an operator does with a change: asks for it, and says a word while it runs. */

import type { Datastore } from "../../datastore/index.ts";
import { type Clock, hasCode, SwitchyardError } from "../../lib/index.ts";
import type { ModeChange, ModeChangeSpec } from "../../model/index.ts";
import { hasEnded } from "./write.ts";

export interface ChangeRequest {
  readonly spec: ModeChangeSpec;
  readonly clock: Clock;
  /** For the seed, where the spec has none: [0,1). */
  readonly random: () => number;
}

/** Longest part of a pool's name in a change's: names end at 253 characters. */
const MOST_OF_NAME = 200;

/**
 * Creates the change; any agent drives it from then on.
 * @throws RESOURCE_NOT_FOUND for no such pool, RESOURCE_INVALID, DATASTORE_UNAVAILABLE.
 */
export async function requestChange(
  store: Pick<Datastore, "get" | "create">,
  { spec, clock, random }: ChangeRequest,
): Promise<ModeChange> {
  if (spec.pool !== undefined) await store.get("IPPool", spec.pool);
  const seed = spec.seed ?? Math.floor(random() * 2 ** 31);
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]/g, "").slice(0, 15);
  const base = `${(spec.pool ?? "mesh").slice(0, MOST_OF_NAME)}-${stamp.replace("T", "-")}`;
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? base : `${base}-${attempt}`;
    try {
      return await store.create<"ModeChange">({
        apiVersion: "switchyard.io/v1",
        kind: "ModeChange",
        metadata: { name },
        spec: { ...spec, seed },
      });
    } catch (error) {
      if (!hasCode(error, "RESOURCE_ALREADY_EXISTS")) throw error;
    }
  }
}

export type OperatorWord = "confirm" | "rollback" | "pause" | "resume";

const saying: Readonly<Record<OperatorWord, Partial<ModeChangeSpec>>> = {
  confirm: { confirmed: true },
  rollback: { rollback: true },
  pause: { paused: true },
  resume: { paused: false },
};

/**
 * Says it, once: whoever has said it already is agreed with.
 * @throws MODE_CHANGE_TOO_LATE if it can mean nothing any more; RESOURCE_NOT_FOUND.
 */
export async function sayWord(
  store: Pick<Datastore, "get" | "update">,
  change: { readonly name: string; readonly word: OperatorWord; readonly clock: Clock },
): Promise<ModeChange> {
  const { name, word, clock } = change;
  for (;;) {
    const stored = await store.get("ModeChange", name);
    const late = tooLate(stored, word, clock);
    if (late !== undefined) {
      throw new SwitchyardError("MODE_CHANGE_TOO_LATE", `${word} ${name}: ${late}`, {
        details: { change: name, word, phase: stored.status?.phase },
      });
    }
    const spec = { ...stored.spec, ...saying[word] };
    if (JSON.stringify(spec) === JSON.stringify(stored.spec)) return stored;
    try {
      return await store.update<"ModeChange">({ ...stored, spec });
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}

function tooLate({ spec, status }: ModeChange, word: OperatorWord, clock: Clock) {
  const phase = status?.phase ?? "Planning";
  if (hasEnded(phase)) {
    const undone = word === "rollback" && phase === "Done" && !spec.proveOnly && spec.pool;
    const instead = undone ? `; to go back, change ${spec.pool} to ${status?.from}` : "";
    return `it has ended (${[phase, status?.reason].filter(Boolean).join(": ")})${instead}`;
  }
  if (phase === "RollingBack") {
    return word === "rollback" ? undefined : `it is going back already: ${status?.reason ?? ""}`;
  }
  if (word === "confirm") {
    if (spec.proveOnly) return "it only proves: nothing moves, and nothing waits for a word";
    if (spec.rollback) return "rollback has been said before";
    const { confirmBy } = status ?? {};
    const over = confirmBy !== undefined && clock.now() >= Date.parse(confirmBy);
    if (over && phase === "AwaitingConfirm") return `it waited until ${confirmBy}`;
    return undefined;
  }
  if (phase === "Narrowing") {
    return word === "rollback"
      ? `it is being committed; go back by a change to ${status?.from ?? "the old mode"}`
      : "every node has moved already";
  }
  if (word === "pause" && (phase === "Verifying" || phase === "AwaitingConfirm")) {
    return "every node has moved already; rollback goes back";
  }
  return undefined;
}
