/** Which change is meant: by its name, or by its pool's when one of that pool runs. */

import type { Datastore } from "../../datastore/index.ts";
import { SwitchyardError } from "../../lib/index.ts";
import type { ModeChange } from "../../model/index.ts";
import { isEnd } from "../output/change/phases.ts";
import { nameList } from "../output/change/text.ts";

/** @throws SwitchyardError RESOURCE_NOT_FOUND with the names there are. */
export async function findChange(store: Datastore, id: string): Promise<ModeChange> {
  const { items } = await store.list("ModeChange");
  const exact = items.find(({ metadata }) => metadata.name === id);
  if (exact) return exact;
  const running = items.filter((change) => isRunning(change));
  const ofPool = running.filter(({ spec }) => spec.pool === id);
  if (ofPool.length === 1) return ofPool[0]!;
  if (ofPool.length > 1) {
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      `several changes of pool ${id} run: name one of ${names(ofPool)}`,
    );
  }
  const known =
    running.length > 0
      ? `running: ${names(running)}`
      : `none runs; \`switchyard mode history\` lists those that ended`;
  throw new SwitchyardError(
    "RESOURCE_NOT_FOUND",
    `there is no mode change '${id}', and no change of a pool of that name runs (${known})`,
  );
}

export function isRunning({ status }: ModeChange): boolean {
  return !isEnd(status?.phase);
}

function names(changes: readonly ModeChange[]): string {
  return nameList(changes.map(({ metadata }) => metadata.name));
}
