/** Finished runs, so that the address of an answer still works after a restart. */
import { DatabaseSync } from "node:sqlite";

import { LlmError } from "@enginehouse/llm-core";

import type { Run } from "../api/schemas.ts";

export interface RunStore {
  save(run: Run): void;
  read(runId: string): Run | undefined;
  /** Newest first. */
  list(limit: number): readonly Run[];
  /** The finished runs of a conversation, oldest first. */
  conversation(conversationId: string, limit: number): readonly Run[];
  remove(runId: string): boolean;
  close(): void;
}

/** How many runs are kept; the oldest go first. */
const KEPT = 500;

/** A file of its own: the documents' file is written by other threads, and this one must never wait for them. */
export function openRunStore(path: string, busyTimeoutMs = 2_000): RunStore {
  const database = openDatabase(path, busyTimeoutMs);
  const insert = database.prepare(
    "insert or replace into runs (id, conversation, created, run) values (?, ?, ?, ?)",
  );
  const prune = database.prepare(
    "delete from runs where id in (select id from runs order by created desc limit -1 offset ?)",
  );
  const one = database.prepare("select run from runs where id = ?");
  const newest = database.prepare("select run from runs order by created desc limit ?");
  const turns = database.prepare(
    "select run from (select run, created from runs where conversation = ? order by created desc limit ?) order by created",
  );
  const remove = database.prepare("delete from runs where id = ?");
  const parse = (row: unknown): Run => JSON.parse((row as { run: string }).run) as Run;
  return {
    save(run) {
      insert.run(run.runId, run.conversationId, run.createdAt, JSON.stringify(run));
      prune.run(KEPT);
    },
    read(runId) {
      const row = one.get(runId);
      return row === undefined ? undefined : parse(row);
    },
    list: (limit) => newest.all(limit).map(parse),
    conversation: (conversationId, limit) => turns.all(conversationId, limit).map(parse),
    remove: (runId) => remove.run(runId).changes > 0,
    close: () => database.close(),
  };
}

function openDatabase(path: string, busyTimeoutMs: number): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(`
      pragma busy_timeout = ${busyTimeoutMs};
      pragma journal_mode = wal;
      create table if not exists runs (
        id text primary key, conversation text not null, created text not null, run text not null
      ) without rowid;
      create index if not exists runs_by_time on runs (created);
      create index if not exists runs_by_conversation on runs (conversation, created);
    `);
    return database;
  } catch (cause) {
    database.close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LlmError("invalid-settings", `the file of former answers, ${path}, cannot be opened: ${why}`, {
      hint: "Restore it from a backup, or move it away: the documents lie in another file.",
      cause,
    });
  }
}
