/** The operator's words to a running change: confirm, roll back, pause, resume. */

import type { Datastore } from "../../datastore/index.ts";
import { hasCode, SwitchyardError } from "../../lib/index.ts";
import type { ModeChange, ModeChangeSpec } from "../../model/index.ts";
import { isEnd } from "../output/change/phases.ts";
import { findChange } from "./find.ts";

export type Word = "confirm" | "rollback" | "pause" | "resume";

export interface Said {
  readonly change: ModeChange;
  /** It had been said before. */
  readonly already: boolean;
}

const fields: Readonly<Record<Word, Partial<ModeChangeSpec>>> = {
  confirm: { confirmed: true },
  rollback: { rollback: true },
  pause: { paused: true },
  resume: { paused: false },
};

export interface WordRequest {
  readonly store: Datastore;
  readonly id: string;
  readonly word: Word;
}

/** A write of somebody else in between is no reason to give up: the word is said again. */
export async function sayWord({ store, id, word }: WordRequest): Promise<Said> {
  for (;;) {
    const change = await findChange(store, id);
    refuseTooLate(change, word);
    const { spec } = change;
    const wanted = fields[word];
    const already = Object.entries(wanted).every(
      ([field, value]) => Boolean(spec[field as keyof ModeChangeSpec]) === value,
    );
    if (already) return { change, already };
    try {
      const written = await store.update<"ModeChange">({ ...change, spec: { ...spec, ...wanted } });
      return { change: written, already };
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}

function refuseTooLate({ metadata, spec, status }: ModeChange, word: Word): void {
  const { phase } = status ?? {};
  const { name } = metadata;
  if (isEnd(phase)) {
    const back =
      word === "rollback" && phase === "Done" && !spec.proveOnly && spec.pool !== undefined
        ? `; to go back, change it again: switchyard mode change ${spec.pool} --to ${status?.from}`
        : "";
    throw tooLate(`change ${name} is over (${phase}): there is nothing to ${word}${back}`);
  }
  if (phase === "Narrowing" && word !== "resume" && word !== "confirm") {
    throw tooLate(
      `change ${name} is confirmed and being completed: it is too late to ${word}; ` +
        `change the pool again when it is done: switchyard mode change ${spec.pool} --to ${status?.from}`,
    );
  }
  const goesBack = phase === "RollingBack" || spec.rollback === true;
  if (goesBack && word !== "rollback" && word !== "resume") {
    throw tooLate(`change ${name} goes back: it is too late to ${word}`);
  }
}

function tooLate(text: string): SwitchyardError {
  return new SwitchyardError("OPERATION_NOT_SUPPORTED", text);
}
