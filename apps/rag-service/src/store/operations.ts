import { statSync } from "node:fs";

import { createCandidateSearch } from "./candidates.ts";
import { createCatalog } from "./catalog.ts";
import { connect, number, text } from "./database.ts";
import { createGenerations } from "./generations.ts";
import { createIngestWrites } from "./ingest-writes.ts";
import { createPassages } from "./passages.ts";
import { SCHEMA } from "./schema.ts";
import type { StoreStatus } from "./store.ts";
import { createVectorSearch } from "./vectors.ts";

export interface DatabaseSettings {
  readonly path: string;
  readonly vectorSearch: "auto" | "scan";
  readonly busyTimeoutMs: number;
}

/** All that one thread can be asked for, by name. */
export function createOperations(settings: DatabaseSettings) {
  const database = connect(settings.path, settings.busyTimeoutMs);
  const passages = createPassages(database);
  const vectors = createVectorSearch(database, settings.vectorSearch);
  const { readText, readPages, listChunks, getChunk } = passages;

  function status(): StoreStatus {
    const count = (table: string, where = "1") =>
      number(database.get(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)?.["n"]);
    return {
      path: settings.path,
      schema: SCHEMA,
      sqlite: text(database.get("SELECT sqlite_version() AS v")?.["v"]),
      vectorSearch: vectors.name,
      documents: count("documents"),
      windows: count("windows", "live = 1"),
      bytes: statSync(settings.path).size,
    };
  }

  return {
    status,
    ...createCatalog(database),
    readText,
    readPages,
    listChunks,
    getChunk,
    ...createCandidateSearch(database, passages, vectors),
    ...createGenerations(database),
    ...createIngestWrites(database, passages),
    close: () => database.close(),
  };
}

export type Operations = ReturnType<typeof createOperations>;
