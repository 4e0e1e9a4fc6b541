/** One service for one data folder: two would both take up the same jobs. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { LlmError } from "@enginehouse/llm-core";

export interface DataLock {
  release(): void;
}

/**
 * Holds the folder until `release`, or until the process ends in whatever way: the lock is the operating system's,
 * taken through an empty database, so that no stale one has to be told from a live one.
 */
export function lockDataFolder(folder: string): DataLock {
  const database = openLock(folder);
  try {
    database.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if (!(cause instanceof Error) || !/locked|busy/.test(cause.message)) throw unusable(folder, cause);
    throw new LlmError("unavailable", `the data folder ${folder} is in use by another running service`, {
      hint: "stop that one, or set ENGINEHOUSE_DATA_DIR to another folder",
      retryable: false,
      cause,
    });
  }
  return { release: () => void (database.isOpen && database.close()) };
}

function openLock(folder: string): DatabaseSync {
  try {
    mkdirSync(folder, { recursive: true });
    return new DatabaseSync(join(folder, "lock.sqlite"), { timeout: 0 });
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

function unusable(folder: string, cause: unknown): LlmError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LlmError("invalid-settings", `the data folder ${folder} cannot be written: ${why}`, {
    hint: "check that it is a folder that may be written and has room, or set ENGINEHOUSE_DATA_DIR to another one",
    cause,
  });
}
