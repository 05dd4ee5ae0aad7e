/** `mode confirm`, `rollback`, `pause` and `resume`: the operator's word to a running change. */

import { type OperatorWord, sayWord } from "../../mode/index.ts";
import type { ModeChange } from "../../model/index.ts";
import { conclude } from "../change/conclude.ts";
import { findChange } from "../change/find.ts";
import { follow } from "../change/follow.ts";
import { requireTextOrJson } from "../change/options.ts";
import { readFacts } from "../change/read-facts.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";

export interface WordOptions extends ConnectionOptions {
  readonly watch?: boolean;
}

export const modeConfirm = (args: readonly string[], options: WordOptions, context: CtlContext) =>
  say("confirm", { args, options, context });
export const modeRollback = (args: readonly string[], options: WordOptions, context: CtlContext) =>
  say("rollback", { args, options, context });
export const modePause = (args: readonly string[], options: WordOptions, context: CtlContext) =>
  say("pause", { args, options, context });
export const modeResume = (args: readonly string[], options: WordOptions, context: CtlContext) =>
  say("resume", { args, options, context });

interface Invocation {
  readonly args: readonly string[];
  readonly options: WordOptions;
  readonly context: CtlContext;
}

async function say(word: OperatorWord, { args, options, context }: Invocation): Promise<void> {
  await withDatastore({ options, context }, async (store) => {
    const before = await findChange(store, { id: args[0] ?? "" });
    const id = before.metadata.name;
    const said = await sayWord(store, { name: id, word, clock: context.clock });
    const already = hasSaid[word](before);
    context.stdout(`${id}: ${answerTo(word, { change: said, already })}\n`);
    if (!options.watch) return;
    const seen = await readFacts({ store, change: said, nowMs: context.clock.now() });
    const followed = await follow({
      store,
      context,
      id,
      seen,
      untilTheEnd: true,
      document: false,
    });
    conclude({ followed, id, context, output: requireTextOrJson("text") });
  });
}

const hasSaid: Readonly<Record<OperatorWord, (change: ModeChange) => boolean>> = {
  confirm: ({ spec }) => spec.confirmed === true,
  rollback: ({ spec }) => spec.rollback === true,
  pause: ({ spec }) => spec.paused === true,
  resume: ({ spec }) => spec.paused !== true,
};

interface Said {
  readonly change: ModeChange;
  /** It had been said before. */
  readonly already: boolean;
}

function answerTo(word: OperatorWord, { change, already }: Said): string {
  const phase = change.status?.phase ?? "not begun";
  const { pool, to } = change.spec;
  switch (word) {
    case "confirm":
      if (already) return `was confirmed before (${phase})`;
      if (phase === "AwaitingConfirm")
        return `confirmed: ${pool ?? "the mesh"} becomes ${to ?? "so"}`;
      return `confirmed in advance (${phase}): it will not wait for anybody`;
    case "rollback":
      return already ? `goes back already (${phase})` : `goes back (it was ${phase})`;
    case "pause":
      return already ? `was paused before (${phase})` : `paused (${phase}): no further node moves`;
    case "resume":
      return already ? `is not paused (${phase})` : `goes on (${phase})`;
  }
}
