import { segmented } from "../retrieve/words.ts";
import { readJob } from "./catalog.ts";
import type { Connection, Row } from "./database.ts";
import { json, now, number, optionalNumber, optionalText, text } from "./database.ts";
import { fault } from "./fault.ts";
import { unknownCollection } from "./filter.ts";
import { vectorTables } from "./generations.ts";
import type { createPassages } from "./passages.ts";
import { removeVersion } from "./remove.ts";
import type { JobError, JobStage, JobWork, NewJob, StagedVersion, StagedWindow } from "./store.ts";

type Passages = ReturnType<typeof createPassages>;

/** The steps by which a document becomes searchable, each one transaction. */
export function createIngestWrites(database: Connection, passages: Passages) {
  function submit(job: NewJob) {
    return database.transaction(() => {
      const collection = database.get("SELECT key FROM collections WHERE id = ?", job.collectionId);
      if (collection === undefined) throw unknownCollection(job.collectionId);
      const key = number(collection["key"]);
      const known = findSame(key, job);
      if (known === undefined) {
        database.run(
          "INSERT INTO documents (id, collection, external_id, name, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
          job.documentId,
          key,
          job.externalId ?? null,
          freeName(key, job),
          now(),
          now(),
        );
      }
      const documentId = known === undefined ? job.documentId : text(known["id"]);
      const live = database.get(
        "SELECT v.sha256, v.settings FROM documents d JOIN versions v ON v.key = d.version WHERE d.id = ?",
        documentId,
      );
      const active = database.get(
        "SELECT id, sha256 FROM jobs WHERE document_id = ? AND status IN ('queued', 'running') ORDER BY key DESC LIMIT 1",
        documentId,
      );
      if (active !== undefined && active["sha256"] === job.sha256) {
        return { status: "queued" as const, documentId, jobId: text(active["id"]), superseded: [] };
      }
      // Whatever older version still waits must not come after this one.
      const superseded = active === undefined ? [] : [text(active["id"])];
      for (const id of superseded) {
        end(id, "cancelled", {
          code: "aborted",
          message: "a newer version of the document came before this one was read",
        });
        discard(id);
      }
      if (live?.["sha256"] === job.sha256 && live["settings"] === job.settings) {
        return { status: "unchanged" as const, documentId, jobId: undefined, superseded };
      }
      database.run(
        `INSERT INTO jobs (id, kind, status, stage, done, collection_id, document_id, external_id, name, media_type, sha256, settings, bytes, created_at, updated_at)
         VALUES (?, 'ingest', 'queued', 'waiting', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        job.jobId,
        job.collectionId,
        documentId,
        job.externalId ?? null,
        job.name,
        job.mediaType ?? null,
        job.sha256,
        job.settings,
        job.bytes,
        now(),
        now(),
      );
      return { status: "queued" as const, documentId, jobId: job.jobId, superseded };
    });
  }

  /** The document that this is a version of: the same external id, else the same bytes. */
  function findSame(collection: number, job: NewJob): Row | undefined {
    if (job.externalId !== undefined) {
      return database.get(
        "SELECT id FROM documents WHERE collection = ? AND external_id = ?",
        collection,
        job.externalId,
      );
    }
    return database.get(
      `SELECT d.id FROM documents d LEFT JOIN versions v ON v.key = d.version
       WHERE d.collection = ?1 AND d.external_id IS NULL AND (v.sha256 = ?2 OR (v.key IS NULL AND EXISTS
         (SELECT 1 FROM jobs j WHERE j.document_id = d.id AND j.sha256 = ?2))) LIMIT 1`,
      collection,
      job.sha256,
    );
  }

  /** Two different files may have one name: the second is shown as "name (2)". */
  function freeName(collection: number, job: NewJob): string {
    const dot = job.name.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [job.name.slice(0, dot), job.name.slice(dot)] : [job.name, ""];
    for (let count = 1; ; count++) {
      const name = count === 1 ? job.name : `${stem} (${count})${ending}`;
      if (
        database.get("SELECT 1 FROM documents WHERE collection = ? AND name = ?", collection, name) ===
        undefined
      )
        return name;
    }
  }

  function submitIndexing(jobId: string): { readonly jobId: string } {
    return database.transaction(() => {
      const active = database.get(
        "SELECT id FROM jobs WHERE kind = 'index' AND status IN ('queued', 'running')",
      );
      if (active !== undefined) return { jobId: text(active["id"]) };
      database.run(
        "INSERT INTO jobs (id, kind, status, stage, done, created_at, updated_at) VALUES (?, 'index', 'queued', 'waiting', 0, ?, ?)",
        jobId,
        now(),
        now(),
      );
      return { jobId };
    });
  }

  function getWork(jobId: string): JobWork | undefined {
    const row = database.get("SELECT * FROM jobs WHERE id = ?", jobId);
    return row && readWork(row);
  }

  function pending(): readonly JobWork[] {
    return database
      .all("SELECT * FROM jobs WHERE status IN ('queued', 'running') ORDER BY key")
      .map(readWork);
  }

  function progress(jobId: string, stage: JobStage, done: number, total: number | undefined): void {
    database.run(
      "UPDATE jobs SET status = 'running', stage = ?, done = ?, total = ?, updated_at = ? WHERE id = ? AND status IN ('queued', 'running')",
      stage,
      done,
      total ?? null,
      now(),
      jobId,
    );
  }

  function end(jobId: string, status: "completed" | "failed" | "cancelled", error?: JobError): boolean {
    const { changes } = database.run(
      "UPDATE jobs SET status = ?1, error = ?2, updated_at = ?3, done = iif(?1 = 'completed', coalesce(total, done), done) WHERE id = ?4 AND status IN ('queued', 'running')",
      status,
      error === undefined ? null : JSON.stringify(error),
      now(),
      jobId,
    );
    return changes > 0;
  }

  function fail(jobId: string, error: JobError): void {
    database.transaction(() => {
      discard(jobId);
      end(jobId, "failed", error);
    });
  }

  /** A document that never had a version goes with its cancelled job. */
  function cancel(jobId: string): void {
    database.transaction(() => {
      if (!end(jobId, "cancelled")) return;
      discard(jobId);
      database.run(
        "DELETE FROM documents WHERE version IS NULL AND id = (SELECT document_id FROM jobs WHERE id = ?)",
        jobId,
      );
    });
  }

  function requeue(jobId: string): void {
    database.run(
      "UPDATE jobs SET status = 'queued', stage = 'waiting', done = 0, total = NULL, error = NULL, updated_at = ? WHERE id = ? AND status = 'failed'",
      now(),
      jobId,
    );
  }

  function complete(jobId: string): void {
    end(jobId, "completed");
  }

  function stage(version: StagedVersion): void {
    database.transaction(() => {
      discard(version.jobId);
      assertActive(version.jobId);
      const owner = database.get("SELECT key, collection FROM documents WHERE id = ?", version.documentId);
      if (owner === undefined) throw fault("aborted", "the document was deleted while it was being read");
      const { lastKey } = database.run(
        `INSERT INTO versions (id, document, job, title, media_type, sha256, settings, bytes, characters, pages, warnings, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        version.id,
        number(owner["key"]),
        version.jobId,
        version.title,
        version.mediaType,
        version.sha256,
        version.settings,
        version.bytes,
        version.text.length,
        version.pages === undefined ? null : JSON.stringify(version.pages),
        JSON.stringify(version.warnings),
        now(),
      );
      passages.writeText(lastKey, version.text);
      for (const window of version.windows)
        insertWindow(lastKey, number(owner["key"]), number(owner["collection"]), 0, window);
    });
  }

  function insertWindow(
    version: number,
    document: number,
    collection: number,
    live: number,
    window: StagedWindow,
  ): number {
    return database.run(
      `INSERT INTO windows (version, document, collection, live, start, end, parent_start, parent_end, headings)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      version,
      document,
      collection,
      live,
      window.charStart,
      window.charEnd,
      window.parentStart,
      window.parentEnd,
      JSON.stringify(window.headingPath),
    ).lastKey;
  }

  function staged(jobId: string): { readonly versionId: string; readonly windows: number } | undefined {
    const row = database.get(
      `SELECT v.id, (SELECT count(*) FROM windows w WHERE w.version = v.key) AS windows FROM versions v
       JOIN documents d ON d.key = v.document WHERE v.job = ? AND (d.version IS NULL OR d.version <> v.key)`,
      jobId,
    );
    return row && { versionId: text(row["id"]), windows: number(row["windows"]) };
  }

  function discard(jobId: string): void {
    database.transaction(() => {
      const rows = database.all(
        "SELECT v.key FROM versions v JOIN documents d ON d.key = v.document WHERE v.job = ? AND (d.version IS NULL OR d.version <> v.key)",
        jobId,
      );
      for (const row of rows) removeVersion(database, number(row["key"]));
    });
  }

  function missingVectors(versionId: string, generation: number, limit: number, after: number) {
    const version = number(database.get("SELECT key FROM versions WHERE id = ?", versionId)?.["key"] ?? 0);
    return database
      .all(
        `SELECT w.key, w.version, w.start, w.end FROM windows w WHERE w.version = ? AND w.start > ?
         AND NOT EXISTS (SELECT 1 FROM vectors_${generation} x WHERE x.window = w.key) ORDER BY w.start LIMIT ?`,
        version,
        after,
        limit,
      )
      .map((row) => ({ ...readWindowText(row), charStart: number(row["start"]) }));
  }

  function countVectors(versionId: string, generation: number) {
    const row = database.get(
      `SELECT count(*) AS total, count(x.window) AS done FROM windows w LEFT JOIN vectors_${generation} x ON x.window = w.key
       WHERE w.version = (SELECT key FROM versions WHERE id = ?)`,
      versionId,
    );
    return { done: number(row?.["done"]), total: number(row?.["total"]) };
  }

  function missingAnywhere(generation: number, limit: number) {
    const lacking = `FROM windows w WHERE w.live = 1 AND NOT EXISTS (SELECT 1 FROM vectors_${generation} x WHERE x.window = w.key)`;
    return {
      windows: database
        .all(`SELECT w.key, w.version, w.start, w.end ${lacking} ORDER BY w.key LIMIT ?`, limit)
        .map(readWindowText),
      left: number(database.get(`SELECT count(*) AS n ${lacking}`)?.["n"]),
    };
  }

  function readWindowText(row: Row): { readonly id: number; readonly text: string } {
    return {
      id: number(row["key"]),
      text: passages.sliceText(number(row["version"]), number(row["start"]), number(row["end"])),
    };
  }

  function putVectors(
    generation: number,
    vectors: readonly { readonly id: number; readonly vector: Float32Array }[],
  ): void {
    database.transaction(() => {
      for (const { id, vector } of vectors) {
        // A window that was deleted meanwhile selects nothing, and nothing is written.
        database.run(
          `INSERT OR REPLACE INTO vectors_${generation} (window, collection, document, live, vector)
           SELECT key, collection, document, live, ? FROM windows WHERE key = ?`,
          new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
          id,
        );
      }
    });
  }

  /** Cuts a window that the embedder cannot read whole, at these places of its text. */
  function splitWindow(id: number, cuts: readonly { readonly start: number; readonly end: number }[]): void {
    database.transaction(() => {
      const row = database.get("SELECT * FROM windows WHERE key = ?", id);
      if (row === undefined) return;
      const live = number(row["live"]);
      const start = number(row["start"]);
      for (const table of vectorTables(database)) database.run(`DELETE FROM ${table} WHERE window = ?`, id);
      if (live === 1) database.run("DELETE FROM lexical WHERE rowid = ?", id);
      database.run("DELETE FROM windows WHERE key = ?", id);
      for (const cut of cuts) {
        const place = { charStart: start + cut.start, charEnd: start + cut.end };
        // An overlapping neighbour may begin at the same place; it covers this part already.
        if (
          database.get(
            "SELECT 1 FROM windows WHERE version = ? AND start = ?",
            number(row["version"]),
            place.charStart,
          )
        )
          continue;
        const key = insertWindow(
          number(row["version"]),
          number(row["document"]),
          number(row["collection"]),
          live,
          {
            ...place,
            parentStart: number(row["parent_start"]),
            parentEnd: number(row["parent_end"]),
            headingPath: json<readonly string[]>(row["headings"]) ?? [],
          },
        );
        if (live !== 1) continue;
        const window = database.get(
          "SELECT w.*, v.title FROM windows w JOIN versions v ON v.key = w.version WHERE w.key = ?",
          key,
        );
        if (window !== undefined) indexWords(window, text(window["title"]));
      }
    });
  }

  function indexWords(window: Row, title: string): void {
    const headings = [title, ...(json<readonly string[]>(window["headings"]) ?? [])].join("\n");
    const content = passages.sliceText(
      number(window["version"]),
      number(window["start"]),
      number(window["end"]),
    );
    database.run(
      "INSERT INTO lexical (rowid, headings, text) VALUES (?, ?, ?)",
      number(window["key"]),
      segmented(headings),
      segmented(content),
    );
  }

  /** A job that was cancelled or superseded must not write any more. */
  function assertActive(jobId: string): void {
    const status = database.get("SELECT status FROM jobs WHERE id = ?", jobId)?.["status"];
    if (status !== "queued" && status !== "running") throw fault("aborted", "the job was cancelled");
  }

  function commit(versionId: string): void {
    database.transaction(() => {
      const row = database.get(
        "SELECT v.key, v.document, v.job, v.title, d.version FROM versions v JOIN documents d ON d.key = v.document WHERE v.id = ?",
        versionId,
      );
      if (row === undefined) throw fault("aborted", "the document was deleted while it was being read");
      assertActive(text(row["job"]));
      const key = number(row["key"]);
      const former = optionalNumber(row["version"]);
      for (const window of database.all("SELECT * FROM windows WHERE version = ?", key))
        indexWords(window, text(row["title"]));
      database.run("UPDATE windows SET live = 1 WHERE version = ?", key);
      for (const table of vectorTables(database)) {
        database.run(
          `UPDATE ${table} SET live = 1 WHERE window IN (SELECT key FROM windows WHERE version = ?)`,
          key,
        );
      }
      database.run(
        "UPDATE documents SET version = ?, updated_at = ? WHERE key = ?",
        key,
        now(),
        number(row["document"]),
      );
      if (former !== undefined && former !== key) removeVersion(database, former);
      end(text(row["job"]), "completed");
    });
  }

  return {
    submit,
    submitIndexing,
    getWork,
    pending,
    progress,
    fail,
    cancel,
    requeue,
    complete,
    stage,
    staged,
    missingVectors,
    countVectors,
    missingAnywhere,
    putVectors,
    splitWindow,
    commit,
  };
}

function readWork(row: Row): JobWork {
  return {
    ...readJob(row),
    sha256: optionalText(row["sha256"]),
    settings: optionalText(row["settings"]),
    bytes: optionalNumber(row["bytes"]),
    mediaType: optionalText(row["media_type"]),
  };
}
