/** `mode history`: every change that is known, one line each. */

import { requireTextOrJson } from "../change/options.ts";
import { unknownPool } from "../change/request.ts";
import { withDatastore } from "../connect.ts";
import type { ConnectionOptions, CtlContext } from "../context.ts";
import { failure } from "../crud/errors.ts";
import { historyRows, renderHistory } from "../output/change/history.ts";

export interface ModeHistoryOptions extends ConnectionOptions {
  readonly output: string;
}

export async function modeHistory(
  args: readonly string[],
  options: ModeHistoryOptions,
  context: CtlContext,
): Promise<void> {
  const output = requireTextOrJson(options.output);
  if (args.length > 1)
    throw failure(
      `accepts at most 1 arg(s), received ${args.length}; usage: switchyard mode history [POOL]`,
    );
  const [pool] = args;
  await withDatastore({ options, context }, async (store) => {
    // A pool that is gone has a history too; one that never was, and has none, is a slip of the pen.
    const [changes, evidence] = await Promise.all([
      store.list("ModeChange"),
      store.list("ModeEvidence"),
    ]);
    const wanted = changes.items.filter(({ spec }) => pool === undefined || spec.pool === pool);
    if (pool !== undefined && wanted.length === 0) {
      const { items } = await store.list("IPPool");
      if (!items.some(({ metadata }) => metadata.name === pool)) throw unknownPool(pool, items);
    }
    const rows = historyRows({
      changes: wanted,
      evidence: evidence.items,
      nowMs: context.clock.now(),
    });
    context.stdout(output === "json" ? `${JSON.stringify(rows, null, 2)}\n` : renderHistory(rows));
  });
}
