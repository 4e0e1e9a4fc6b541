/** Rows of the store, as the API shows them. */
import type { LlmError } from "@enginehouse/llm-core";

import type * as stored from "../store/store.ts";
import { toProblem, fault } from "./problem.ts";
import type { Chunk, Collection, Document, Job, Problem } from "./schemas.ts";

export function presentCollection(
  row: stored.Collection,
  generation: stored.Generation | undefined,
): Collection {
  const { id, name, createdAt, documents, ready, failed } = row;
  const known = { id, name, createdAt, documents, ready, failed };
  if (generation === undefined) return known;
  const { provider, model, dimensions } = generation;
  return { ...known, embedder: { providerId: provider, model, dimensions } };
}

export function presentDocument(row: stored.Document): Document {
  const { id, collectionId, externalId, name, createdAt, updatedAt, version, job } = row;
  return {
    id,
    collectionId,
    ...(externalId === undefined ? {} : { externalId }),
    name,
    title: version?.title ?? name,
    createdAt,
    updatedAt,
    status: statusOf(row),
    ...(version === undefined ? {} : presentVersion(version)),
    ...(job === undefined ? {} : presentProgress(job)),
    ...(job?.status === "failed" && job.error !== undefined ? { error: presentJobError(job.error) } : {}),
  };
}

function statusOf({ version, job }: stored.Document): Document["status"] {
  if (job?.status === "queued") return "queued";
  if (job?.status === "running") return "processing";
  if (version !== undefined) return "ready";
  return job === undefined ? "queued" : "failed";
}

function presentVersion(version: stored.Version): Partial<Document> {
  const { id, mediaType, bytes, characters, pages, windows, warnings } = version;
  return {
    versionId: id,
    mediaType,
    bytes,
    characters,
    chunks: windows,
    ...(pages === undefined ? {} : { pages }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  };
}

function presentProgress({ id, status, stage, done, total }: stored.Job): Partial<Document> {
  if (status !== "running" && status !== "queued") return { jobId: id };
  return { jobId: id, stage, progress: { done, ...(total === undefined ? {} : { total }) } };
}

/** With what keeps it from going on, if anything does. */
export function presentJob(row: stored.Job, hindrance?: LlmError): Job {
  const {
    id,
    kind,
    status,
    stage,
    done,
    total,
    error,
    collectionId,
    documentId,
    name,
    createdAt,
    updatedAt,
  } = row;
  return {
    id,
    kind,
    status,
    stage,
    done,
    ...(total === undefined ? {} : { total }),
    unit: stage === "extracting" ? "pages" : "chunks",
    title: name ?? (kind === "index" ? "Vectors of all documents" : "A document"),
    ...(documentId === undefined ? {} : { documentId }),
    ...(collectionId === undefined ? {} : { collectionId }),
    ...(error === undefined ? {} : { error: presentJobError(error) }),
    ...(hindrance === undefined ? {} : { waitsFor: toProblem(hindrance) }),
    createdAt,
    updatedAt,
  };
}

export function presentJobError({ code, reason, message, hint, retryable }: stored.JobError): Problem {
  const problem = toProblem(
    fault({
      status: 422,
      code: reason ?? code,
      detail: message,
      ...(hint === undefined ? {} : { hint }),
      ...(retryable === undefined ? {} : { retryable }),
    }),
  );
  return problem;
}

export function presentChunk(chunk: stored.Chunk): Chunk {
  const { id, index, text, charStart, charEnd, page, headingPath } = chunk;
  return {
    id,
    index,
    text,
    charStart,
    charEnd,
    ...(page === undefined ? {} : { page }),
    headingPath: [...headingPath],
  };
}
