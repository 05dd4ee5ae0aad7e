/**
 * The tables of the embedded store: `resources` holds what is, `log` what happened, for watches.
 * One process holds the file, by an exclusive lock, so nothing here waits for anybody.
 */

import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { errorText, SwitchyardError } from "../../lib/index.ts";

const schemaVersion = 1;

const schema = `
CREATE TABLE IF NOT EXISTS resources (
  kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  revision INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (
  revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO counters VALUES ('revision', 0), ('compacted', 0);
PRAGMA user_version = ${schemaVersion};
`;

export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // Made here and not by SQLite, because it holds what only its owner should read.
    if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
    database = new DatabaseSync(path);
    // Exclusive before WAL: no shared-memory file, and a second opener is refused at once.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;");
    // FULL: a write that was acknowledged survives a power cut, so revisions are never reused.
    database.exec("PRAGMA synchronous = FULL;");
    const row = database.prepare("PRAGMA user_version").get() as { user_version: number };
    if (row.user_version > schemaVersion) {
      throw new Error(`its schema ${row.user_version} is newer than this program's`);
    }
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
    return database;
  } catch (error) {
    database?.close();
    throw new SwitchyardError(
      "DATASTORE_UNAVAILABLE",
      `cannot open datastore ${path}: ${errorText(error)}`,
      { cause: error, details: { path } },
    );
  }
}
