import type { Connection } from "./database.ts";
import { number, text } from "./database.ts";
import { documentFilter } from "./filter.ts";
import { vectorTables } from "./generations.ts";
import type { DocumentFilter } from "./store.ts";

/** Documents with all that belongs to them. The caller holds the transaction. */
export function removeDocuments(
  database: Connection,
  filter: DocumentFilter,
): { readonly documents: number; readonly jobIds: readonly string[] } {
  const { where, values } = documentFilter(filter);
  const found = database.all(
    `SELECT d.key, d.id FROM documents d JOIN collections c ON c.key = d.collection WHERE ${where}`,
    ...values,
  );
  const jobIds: string[] = [];
  for (const row of found) {
    const key = number(row["key"]);
    const id = text(row["id"]);
    for (const version of database.all("SELECT key FROM versions WHERE document = ?", key)) {
      removeVersion(database, number(version["key"]));
    }
    for (const job of database.all("SELECT id FROM jobs WHERE document_id = ?", id))
      jobIds.push(text(job["id"]));
    database.run("DELETE FROM jobs WHERE document_id = ?", id);
    database.run("DELETE FROM documents WHERE key = ?", key);
  }
  return { documents: found.length, jobIds };
}

/** One version with its text, windows, words and vectors. The caller holds the transaction. */
export function removeVersion(database: Connection, version: number): void {
  const windows = "SELECT key FROM windows WHERE version = ?";
  for (const table of vectorTables(database))
    database.run(`DELETE FROM ${table} WHERE window IN (${windows})`, version);
  database.run(`DELETE FROM lexical WHERE rowid IN (${windows} AND live = 1)`, version);
  database.run("DELETE FROM windows WHERE version = ?", version);
  database.run("DELETE FROM texts WHERE version = ?", version);
  database.run("DELETE FROM versions WHERE key = ?", version);
}
