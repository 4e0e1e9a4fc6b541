import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

import { fault, readFault } from "./fault.ts";
import { migrate } from "./schema.ts";

export type Row = Record<string, unknown>;

/** One connection, with its statements prepared once. */
export interface Connection {
  readonly path: string;
  all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[];
  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined;
  run(
    sql: string,
    ...values: readonly SQLInputValue[]
  ): { readonly changes: number; readonly lastKey: number };
  each(sql: string, ...values: readonly SQLInputValue[]): Iterable<Row>;
  exec(sql: string): void;
  /** Runs the work in one transaction: all of it is kept, or nothing. */
  transaction<T>(work: () => T): T;
  loadExtension(path: string): void;
  close(): void;
}

export function connect(path: string, busyTimeoutMs = 10_000): Connection {
  const database = open(path, busyTimeoutMs);
  const statements = new Map<string, StatementSync>();
  const writes = new Map<string, StatementSync>();
  let depth = 0;
  let hurried = false;

  function prepare(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  }

  /** Once another program has held it for the whole wait, nobody waits as long again until a write succeeds. */
  function patiently<T>(write: () => T): T {
    try {
      const result = write();
      if (hurried) hurry(false);
      return result;
    } catch (error) {
      if (!hurried && readFault(error).code === "unavailable") hurry(true);
      throw error;
    }
  }

  function hurry(on: boolean): void {
    hurried = on;
    database.exec(`PRAGMA busy_timeout = ${on ? Math.ceil(busyTimeoutMs / 10) : busyTimeoutMs}`);
  }

  return {
    path,
    all: (sql, ...values) => prepare(sql).all(...values),
    get: (sql, ...values) => prepare(sql).get(...values),
    run(sql, ...values) {
      let statement = writes.get(sql);
      if (statement === undefined) {
        statement = database.prepare(sql);
        // The full-text index has row ids of its own, beyond what a number holds.
        statement.setReadBigInts(true);
        writes.set(sql, statement);
      }
      const prepared = statement;
      const { changes, lastInsertRowid } = patiently(() => prepared.run(...values));
      return { changes: Number(changes), lastKey: Number(lastInsertRowid) };
    },
    // Its own statement: a loop may run while the same query is asked again.
    each: (sql, ...values) => database.prepare(sql).iterate(...values),
    exec: (sql) => database.exec(sql),
    transaction(work) {
      if (depth > 0) return work();
      patiently(() => database.exec("BEGIN IMMEDIATE"));
      depth++;
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      } finally {
        depth--;
      }
    },
    loadExtension(file) {
      database.enableLoadExtension(true);
      database.loadExtension(file);
      database.enableLoadExtension(false);
    },
    close() {
      statements.clear();
      writes.clear();
      if (database.isOpen) database.close();
    },
  };
}

function open(path: string, busyTimeoutMs: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { allowExtension: true });
    // The page size only counts before the first write. Vectors of 256 to 768 floats fit well into 8 kB.
    database.exec(`
      PRAGMA busy_timeout = ${busyTimeoutMs};
      PRAGMA page_size = 8192;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA mmap_size = 2147483648;
      PRAGMA cache_size = -16000;
    `);
  } catch (error) {
    database?.close();
    if (readFault(error).code === "unavailable") throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw fault(
      "invalid-settings",
      `the database ${path} cannot be opened: ${why}`,
      /malformed|not a database/i.test(why)
        ? "It is damaged: restore it from a backup, or move it away to start anew."
        : "Check that the folder exists and may be written, or set ENGINEHOUSE_DATA_DIR to another one.",
    );
  }
  try {
    migrate(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function number(value: unknown): number {
  return Number(value);
}

export function optionalNumber(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

export function json<T>(value: unknown): T | undefined {
  return typeof value === "string" ? (JSON.parse(value) as T) : undefined;
}

export function now(): string {
  return new Date().toISOString();
}
