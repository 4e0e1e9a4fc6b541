import type { Connection, Row } from "./database.ts";
import { json, now, number, optionalNumber, optionalText, text } from "./database.ts";
import { fault } from "./fault.ts";
import { documentFilter, unknownCollection } from "./filter.ts";
import { removeDocuments } from "./remove.ts";
import type {
  Collection,
  Document,
  DocumentFilter,
  Job,
  JobError,
  JobStage,
  JobStatus,
  PageStart,
  Version,
} from "./store.ts";

/** Collections, documents, jobs, settings: all that a list or a form shows. */
export function createCatalog(database: Connection) {
  function listCollections(): readonly Collection[] {
    return database.all(`${COLLECTIONS} ORDER BY c.key`).map(readCollection);
  }

  function getCollection(id: string): Collection | undefined {
    const row = database.get(`${COLLECTIONS} WHERE c.id = ?`, id);
    return row && readCollection(row);
  }

  function createCollection(wanted: { readonly id?: string | undefined; readonly name: string }): Collection {
    const name = wanted.name.trim();
    if (name === "") throw fault("invalid-request", "a collection needs a name", "Give it one.", 400);
    return database.transaction(() => {
      const id = wanted.id ?? freeId(name);
      if (getCollection(id) !== undefined) {
        throw fault("invalid-request", `there is already a collection "${id}"`, "Choose another id.", 409);
      }
      database.run("INSERT INTO collections (id, name, created_at) VALUES (?, ?, ?)", id, name, now());
      return known(id);
    });
  }

  function freeId(name: string): string {
    const base =
      name
        .toLowerCase()
        .normalize("NFKD")
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-+|-+$/g, "")
        .slice(0, 40) || "collection";
    for (let count = 1; ; count++) {
      const id = count === 1 ? base : `${base}-${count}`;
      if (getCollection(id) === undefined) return id;
    }
  }

  function renameCollection(id: string, name: string): Collection {
    if (name.trim() === "") throw fault("invalid-request", "a collection needs a name", "Give it one.", 400);
    database.run("UPDATE collections SET name = ? WHERE id = ?", name.trim(), id);
    return known(id);
  }

  function known(id: string): Collection {
    const collection = getCollection(id);
    if (collection === undefined) throw unknownCollection(id);
    return collection;
  }

  function deleteCollection(id: string): { readonly documents: number } {
    return database.transaction(() => {
      known(id);
      const { documents } = removeDocuments(database, { collectionId: id });
      if (id !== "default") database.run("DELETE FROM collections WHERE id = ?", id);
      return { documents };
    });
  }

  function listDocuments(filter: DocumentFilter = {}): readonly Document[] {
    const { where, values } = documentFilter(filter);
    return database.all(`${DOCUMENTS} WHERE ${where} ORDER BY d.key DESC`, ...values).map(readDocument);
  }

  function getDocument(id: string): Document | undefined {
    const row = database.get(`${DOCUMENTS} WHERE d.id = ?`, id);
    return row && readDocument(row);
  }

  function findDocument(collectionId: string, externalId: string): Document | undefined {
    const row = database.get(`${DOCUMENTS} WHERE c.id = ? AND d.external_id = ?`, collectionId, externalId);
    return row && readDocument(row);
  }

  function deleteDocuments(filter: DocumentFilter) {
    if (
      filter.collectionId === undefined &&
      filter.documentIds === undefined &&
      filter.externalIdPrefix === undefined
    ) {
      throw fault(
        "invalid-request",
        "a filter is needed to delete documents",
        "Name documents, a collection or a prefix of external ids.",
        400,
      );
    }
    return database.transaction(() => removeDocuments(database, filter));
  }

  function listJobs(
    filter: { readonly status?: JobStatus | undefined; readonly limit?: number | undefined } = {},
  ): readonly Job[] {
    const limit = filter.limit ?? 200;
    const rows =
      filter.status === undefined
        ? database.all("SELECT * FROM jobs ORDER BY key DESC LIMIT ?", limit)
        : database.all("SELECT * FROM jobs WHERE status = ? ORDER BY key DESC LIMIT ?", filter.status, limit);
    return rows.map(readJob);
  }

  function getJob(id: string): Job | undefined {
    const row = database.get("SELECT * FROM jobs WHERE id = ?", id);
    return row && readJob(row);
  }

  function readSetting(key: string): unknown {
    return json<unknown>(database.get("SELECT value FROM settings WHERE key = ?", key)?.["value"]);
  }

  function writeSetting(key: string, value: unknown): void {
    if (value === undefined) database.run("DELETE FROM settings WHERE key = ?", key);
    else {
      const written = JSON.stringify(value);
      database.run(
        "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        written,
      );
    }
  }

  return {
    listCollections,
    getCollection,
    createCollection,
    renameCollection,
    deleteCollection,
    listDocuments,
    getDocument,
    findDocument,
    deleteDocuments,
    listJobs,
    getJob,
    readSetting,
    writeSetting,
  };
}

const COLLECTIONS = `
  SELECT c.id, c.name, c.created_at,
    (SELECT count(*) FROM documents d WHERE d.collection = c.key) AS documents,
    (SELECT count(*) FROM documents d WHERE d.collection = c.key AND d.version IS NOT NULL) AS ready,
    (SELECT count(*) FROM documents d
      JOIN jobs j ON j.key = (SELECT max(key) FROM jobs WHERE document_id = d.id)
      WHERE d.collection = c.key AND d.version IS NULL AND j.status IN ('failed', 'cancelled')) AS failed
  FROM collections c`;

const DOCUMENTS = `
  SELECT d.id, c.id AS collection_id, d.external_id, d.name, d.created_at, d.updated_at,
    v.id AS v_id, v.title AS v_title, v.media_type AS v_media_type, v.sha256 AS v_sha256, v.bytes AS v_bytes,
    v.characters AS v_characters, v.pages AS v_pages, v.warnings AS v_warnings, v.created_at AS v_created_at,
    (SELECT count(*) FROM windows w WHERE w.version = v.key) AS v_windows,
    j.id AS j_id, j.kind, j.status, j.stage, j.done, j.total, j.error, j.created_at AS j_created_at, j.updated_at AS j_updated_at
  FROM documents d
  JOIN collections c ON c.key = d.collection
  LEFT JOIN versions v ON v.key = d.version
  LEFT JOIN jobs j ON j.key = (SELECT max(key) FROM jobs WHERE document_id = d.id)`;

function readCollection(row: Row): Collection {
  return {
    id: text(row["id"]),
    name: text(row["name"]),
    createdAt: text(row["created_at"]),
    documents: number(row["documents"]),
    ready: number(row["ready"]),
    failed: number(row["failed"]),
  };
}

function readDocument(row: Row): Document {
  const id = text(row["id"]);
  return {
    id,
    collectionId: text(row["collection_id"]),
    externalId: optionalText(row["external_id"]),
    name: text(row["name"]),
    createdAt: text(row["created_at"]),
    updatedAt: text(row["updated_at"]),
    version: row["v_id"] === null ? undefined : readVersion(row, id),
    job:
      row["j_id"] === null
        ? undefined
        : readJob({
            ...row,
            id: row["j_id"],
            document_id: id,
            created_at: row["j_created_at"],
            updated_at: row["j_updated_at"],
          }),
  };
}

function readVersion(row: Row, documentId: string): Version {
  return {
    id: text(row["v_id"]),
    documentId,
    title: text(row["v_title"]),
    mediaType: text(row["v_media_type"]),
    sha256: text(row["v_sha256"]),
    bytes: number(row["v_bytes"]),
    characters: number(row["v_characters"]),
    pages: json<readonly PageStart[]>(row["v_pages"])?.length,
    windows: number(row["v_windows"]),
    warnings: json<readonly string[]>(row["v_warnings"]) ?? [],
    createdAt: text(row["v_created_at"]),
  };
}

export function readJob(row: Row): Job {
  return {
    id: text(row["id"]),
    kind: text(row["kind"]) as Job["kind"],
    status: text(row["status"]) as JobStatus,
    stage: text(row["stage"]) as JobStage,
    done: number(row["done"]),
    total: optionalNumber(row["total"]),
    error: json<JobError>(row["error"]),
    collectionId: optionalText(row["collection_id"]),
    documentId: optionalText(row["document_id"]),
    name: optionalText(row["name"]),
    createdAt: text(row["created_at"]),
    updatedAt: text(row["updated_at"]),
  };
}
