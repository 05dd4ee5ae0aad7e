/** The embedded datastore's door. */

import { type Clock, systemClock } from "../../lib/index.ts";
import type { Datastore } from "../types.ts";
import { openDatabase } from "./database.ts";
import { SqliteStore } from "./store.ts";

export interface OpenSqliteOptions {
  readonly clock?: Clock;
  /** The log keeps the last this many writes; 20,000 unless told. */
  readonly keepLogEntries?: number;
  /** Longest time a watch waits for a bookmark about writes to other kinds; 25 ms unless told. */
  readonly bookmarkDelayMs?: number;
}

/** `path` is a file, or ":memory:". One process at a time; a second is refused. */
export function openSqliteStore(path: string, options: OpenSqliteOptions = {}): Datastore {
  return new SqliteStore({
    clock: systemClock,
    keepLogEntries: 20_000,
    bookmarkDelayMs: 25,
    ...options,
    database: openDatabase(path),
  });
}
