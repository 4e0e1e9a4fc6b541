import type { DatabaseSync } from "node:sqlite";

import { fault } from "./fault.ts";

/** Steps from nothing to the present schema: step n leads from version n to n + 1. Never changed, only added to. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE collections (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, created_at TEXT NOT NULL
  );
  CREATE TABLE documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    collection INTEGER NOT NULL REFERENCES collections (key), external_id TEXT, name TEXT NOT NULL,
    version INTEGER, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (collection, external_id)
  );
  CREATE TABLE versions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    document INTEGER NOT NULL REFERENCES documents (key), job TEXT NOT NULL, title TEXT NOT NULL,
    media_type TEXT NOT NULL, sha256 TEXT NOT NULL, settings TEXT NOT NULL, bytes INTEGER NOT NULL,
    characters INTEGER NOT NULL, pages TEXT, warnings TEXT NOT NULL, created_at TEXT NOT NULL
  );
  CREATE INDEX versions_document ON versions (document);
  CREATE INDEX versions_sha256 ON versions (sha256);
  CREATE TABLE texts (version INTEGER NOT NULL, start INTEGER NOT NULL, text TEXT NOT NULL);
  CREATE UNIQUE INDEX texts_place ON texts (version, start);
  CREATE TABLE windows (
    key INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, document INTEGER NOT NULL,
    collection INTEGER NOT NULL, live INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    parent_start INTEGER NOT NULL, parent_end INTEGER NOT NULL, headings TEXT NOT NULL
  );
  CREATE UNIQUE INDEX windows_place ON windows (version, start);
  CREATE INDEX windows_document ON windows (document);
  CREATE INDEX windows_live ON windows (live);
  CREATE VIRTUAL TABLE lexical USING fts5 (
    headings, text, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
  );
  CREATE TABLE generations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, model TEXT NOT NULL,
    dimensions INTEGER NOT NULL, active INTEGER NOT NULL, UNIQUE (provider, model, dimensions)
  );
  CREATE TABLE jobs (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, status TEXT NOT NULL,
    stage TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER, error TEXT, collection_id TEXT, document_id TEXT,
    external_id TEXT, name TEXT, media_type TEXT, sha256 TEXT, settings TEXT, bytes INTEGER,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
  );
  CREATE INDEX jobs_document ON jobs (document_id);
  CREATE INDEX jobs_status ON jobs (status);
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
  INSERT INTO collections (id, name, created_at) VALUES ('default', 'Documents', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
  `,
];

export const SCHEMA = STEPS.length;

const APPLICATION_ID = 0x456e6768;

/** Brings a database to the present schema, or refuses one that is not ours or newer than this program. */
export function migrate(database: DatabaseSync, path: string): void {
  const found = pragma(database, "user_version");
  const owner = pragma(database, "application_id");
  if (found > SCHEMA) {
    throw fault(
      "unsupported",
      `the database ${path} was written by a newer version of this service (schema ${found}, this one knows ${SCHEMA})`,
      "Update the service, or set ENGINEHOUSE_DATA_DIR to another folder. The file was not changed.",
    );
  }
  if (owner !== APPLICATION_ID && (owner !== 0 || found !== 0 || hasTables(database))) {
    throw fault(
      "invalid-settings",
      `${path} is a SQLite database, but not one of this service`,
      "Move it away, or set ENGINEHOUSE_DATA_DIR to another folder. The file was not changed.",
    );
  }
  if (found === SCHEMA) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have migrated while this one waited for the lock.
    for (let step = pragma(database, "user_version"); step < SCHEMA; step++) {
      database.exec(STEPS[step] ?? "");
      database.exec(`PRAGMA user_version = ${step + 1}`);
    }
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}
