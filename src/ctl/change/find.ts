/** Which change is meant: by its name, or by its pool's. */

import type { Datastore } from "../../datastore/index.ts";
import { SwitchyardError } from "../../lib/index.ts";
import type { ModeChange } from "../../model/index.ts";
import { isEnd } from "../output/change/phases.ts";
import { nameList } from "../output/change/text.ts";

export interface Wanted {
  readonly id: string;
  /** Where none of the pool runs, the last that ended will do: there is no harm in looking at it. */
  readonly orLast?: boolean;
}

/** @throws SwitchyardError RESOURCE_NOT_FOUND with the names there are. */
export async function findChange(
  store: Datastore,
  { id, orLast = false }: Wanted,
): Promise<ModeChange> {
  const { items } = await store.list("ModeChange");
  const exact = items.find(({ metadata }) => metadata.name === id);
  if (exact) return exact;
  const running = items.filter((change) => isRunning(change));
  const ofPool = running.filter(({ spec }) => spec.pool === id);
  if (ofPool.length === 1) return ofPool[0]!;
  if (ofPool.length > 1) {
    const text = `several changes of pool ${id} run: name one of ${names(ofPool)}`;
    throw new SwitchyardError("INVALID_ARGUMENT", text);
  }
  const last = orLast ? lastOf(items.filter(({ spec }) => spec.pool === id)) : undefined;
  if (last) return last;
  const known =
    running.length > 0
      ? `running: ${names(running)}`
      : "none runs; `switchyard mode history` lists those that ended";
  throw new SwitchyardError(
    "RESOURCE_NOT_FOUND",
    `there is no mode change '${id}', and no change of a pool of that name ${orLast ? "is known" : "runs"} (${known})`,
  );
}

/** By when it was asked for; of one second, by name, which counts. */
function lastOf(changes: readonly ModeChange[]): ModeChange | undefined {
  const age = ({ metadata }: ModeChange) => `${metadata.creationTimestamp} ${metadata.name}`;
  return changes.toSorted((a, b) => (age(a) < age(b) ? -1 : 1)).at(-1);
}

export function isRunning({ status }: ModeChange): boolean {
  return !isEnd(status?.phase);
}

function names(changes: readonly ModeChange[]): string {
  return nameList(changes.map(({ metadata }) => metadata.name));
}
