/** `mode show`: all that is known of one change; with --watch, its progress too. */

import { conclude, printDocument, printReport } from "../change/conclude.ts";
import { findChange } from "../change/find.ts";
import { follow } from "../change/follow.ts";
import { requireTextOrJson } from "../change/options.ts";
import { readFacts } from "../change/read-facts.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";

export interface ModeShowOptions extends ConnectionOptions {
  readonly output: string;
  readonly watch?: boolean;
}

export async function modeShow(
  args: readonly string[],
  options: ModeShowOptions,
  context: CtlContext,
): Promise<void> {
  const output = requireTextOrJson(options.output);
  await withDatastore({ options, context }, async (store) => {
    const change = await findChange(store, { id: args[0] ?? "", orLast: true });
    const id = change.metadata.name;
    if (options.watch) {
      const document = output === "json";
      const followed = await follow({ store, context, id, untilTheEnd: true, document });
      return conclude({ followed, id, context, output });
    }
    const facts = await readFacts({ store, change, nowMs: context.clock.now() });
    if (output === "json") printDocument(facts, context);
    else printReport(facts, context);
  });
}
