/** Rows as callers see them. Offsets are UTF-16 indexes into the stored extracted text of a version. */
export interface Collection {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly documents: number;
  /** Those of them that can be asked. */
  readonly ready: number;
  /** Those of them of which nothing could be read, or whose reading was cancelled. */
  readonly failed: number;
}

export type JobStatus = "queued" | "running" | "completed" | "failed" | "cancelled";
export type JobStage = "waiting" | "extracting" | "chunking" | "embedding" | "indexing";

/** What a failed job remembers: what happened and what to do about it. */
export interface JobError {
  /** A code of llm-core's table. */
  readonly code: string;
  /** What exactly was wrong with the document, e.g. `pdf-encrypted`, where the code alone is too wide. */
  readonly reason?: string | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly retryable?: boolean | undefined;
}

export interface Job {
  readonly id: string;
  /** `ingest` takes in one document; `index` computes the vectors that the present embedder lacks. */
  readonly kind: "ingest" | "index";
  readonly status: JobStatus;
  readonly stage: JobStage;
  /** Pages, windows or documents of this stage. `total` is `undefined` while it is not known. */
  readonly done: number;
  readonly total: number | undefined;
  readonly error: JobError | undefined;
  readonly collectionId: string | undefined;
  readonly documentId: string | undefined;
  readonly name: string | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Document {
  readonly id: string;
  readonly collectionId: string;
  readonly externalId: string | undefined;
  /** The client's name for it, for people only: it is never used as a path. */
  readonly name: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** The searchable version. `undefined` until the first job has ended well. */
  readonly version: Version | undefined;
  /** The latest job that concerns this document. */
  readonly job: Job | undefined;
}

export interface Version {
  readonly id: string;
  readonly documentId: string;
  readonly title: string;
  readonly mediaType: string;
  readonly sha256: string;
  /** Size of the file. */
  readonly bytes: number;
  /** Length of the extracted text in UTF-16 units. */
  readonly characters: number;
  readonly pages: number | undefined;
  readonly windows: number;
  /** What the reader should know, e.g. that the file was read as Latin-1. */
  readonly warnings: readonly string[];
  readonly createdAt: string;
}

export interface PageStart {
  readonly page: number;
  readonly charStart: number;
}

/** A window: the unit that is indexed. Its text is exactly `text.slice(charStart, charEnd)` of the version's text. */
export interface Passage {
  readonly id: string;
  readonly documentId: string;
  readonly versionId: string;
  readonly charStart: number;
  readonly charEnd: number;
  readonly text: string;
  /** The page it starts on, for documents that have pages. */
  readonly page: number | undefined;
  /** Every page it touches, with the place where that page starts. */
  readonly pages: readonly PageStart[];
  readonly headingPath: readonly string[];
  /** The larger unit around it (2,000 tokens by default). */
  readonly parent: { readonly charStart: number; readonly charEnd: number };
}

/** A window with its place among those of its document. */
export interface Chunk extends Passage {
  readonly index: number;
}

/** An index generation belongs to one embedder. Exactly one is active, or none. */
export interface Generation {
  readonly id: number;
  readonly provider: string;
  readonly model: string;
  readonly dimensions: number;
  readonly active: boolean;
  /** Windows that have a vector of it, and all windows. */
  readonly vectors: number;
  readonly windows: number;
}

export interface DocumentFilter {
  readonly collectionId?: string | undefined;
  readonly documentIds?: readonly string[] | undefined;
  readonly externalIdPrefix?: string | undefined;
}

export interface StoreStatus {
  readonly path: string;
  readonly schema: number;
  readonly sqlite: string;
  /** `sqlite-vec 0.1.9`, or `exact scan` with the reason why the extension is not there. */
  readonly vectorSearch: string;
  readonly documents: number;
  readonly windows: number;
  readonly bytes: number;
}

export interface StagedVersion {
  readonly id: string;
  readonly documentId: string;
  readonly jobId: string;
  readonly title: string;
  readonly mediaType: string;
  readonly sha256: string;
  readonly settings: string;
  readonly bytes: number;
  readonly warnings: readonly string[];
  readonly text: string;
  readonly pages: readonly PageStart[] | undefined;
  readonly windows: readonly StagedWindow[];
}

export interface StagedWindow {
  readonly charStart: number;
  readonly charEnd: number;
  readonly parentStart: number;
  readonly parentEnd: number;
  readonly headingPath: readonly string[];
}

export interface NewJob {
  readonly documentId: string;
  readonly collectionId: string;
  readonly externalId: string | undefined;
  readonly name: string;
  readonly mediaType: string | undefined;
  readonly sha256: string;
  readonly settings: string;
  readonly bytes: number;
  readonly jobId: string;
}

/** What the ingestor needs to do or redo a job. */
export interface JobWork extends Job {
  readonly sha256: string | undefined;
  readonly settings: string | undefined;
  readonly bytes: number | undefined;
  readonly mediaType: string | undefined;
}

export interface SearchCandidatesRequest {
  /** Words of the question, cleaned; each is quoted, so that no character of it is query syntax. */
  readonly terms: readonly string[];
  /** A unit vector of the active generation. */
  readonly vector: Float32Array | undefined;
  readonly collectionIds: readonly string[] | undefined;
  readonly documentIds: readonly string[] | undefined;
  /** How many of each list. */
  readonly limit: number;
}

/** One window with both scores; `undefined`: it has none (no word matched, or it has no vector). */
export interface Candidate {
  readonly passage: Passage;
  readonly collectionId: string;
  readonly name: string;
  readonly title: string;
  /** BM25, larger is better. */
  readonly lexical: number | undefined;
  /** Cosine. */
  readonly dense: number | undefined;
}

export interface SearchCandidates {
  readonly candidates: readonly Candidate[];
  /** In how many windows each term occurs, in the order of the terms, and how many windows there are. */
  readonly frequencies: readonly number[];
  readonly windows: number;
}

/**
 * Everything the service keeps, in one file. Every write is one transaction.
 *
 * The database works in threads of its own, so no call blocks the caller's. Every method rejects with an `LlmError`.
 */
export interface Store {
  status(): Promise<StoreStatus>;

  listCollections(): Promise<readonly Collection[]>;
  getCollection(id: string): Promise<Collection | undefined>;
  createCollection(collection: {
    readonly id?: string | undefined;
    readonly name: string;
  }): Promise<Collection>;
  renameCollection(id: string, name: string): Promise<Collection>;
  /** With all its documents, in one transaction. `default` is emptied and stays. */
  deleteCollection(id: string): Promise<{ readonly documents: number }>;

  listDocuments(filter?: DocumentFilter): Promise<readonly Document[]>;
  getDocument(id: string): Promise<Document | undefined>;
  findDocument(collectionId: string, externalId: string): Promise<Document | undefined>;
  /** One or by filter, with versions, texts, chunks, vectors and jobs, in one transaction. */
  deleteDocuments(
    filter: DocumentFilter,
  ): Promise<{ readonly documents: number; readonly jobIds: readonly string[] }>;
  /** The extracted text of the searchable version, whole or a part. */
  readText(
    documentId: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<string | undefined>;
  /** The page starts of the searchable version; empty when it has no pages. */
  readPages(documentId: string): Promise<readonly PageStart[]>;
  listChunks(
    documentId: string,
    page?: { readonly from?: number; readonly limit?: number },
  ): Promise<readonly Chunk[]>;
  getChunk(chunkId: string): Promise<Chunk | undefined>;

  listJobs(filter?: {
    readonly status?: JobStatus | undefined;
    readonly limit?: number | undefined;
  }): Promise<readonly Job[]>;
  getJob(id: string): Promise<Job | undefined>;

  /** The two lists of a search and both scores of every candidate. */
  searchCandidates(request: SearchCandidatesRequest): Promise<SearchCandidates>;
  /** In how many windows each word (any form of it) occurs. */
  wordFrequencies(
    words: readonly string[],
  ): Promise<{ readonly frequencies: readonly number[]; readonly windows: number }>;

  listGenerations(): Promise<readonly Generation[]>;

  readSetting(key: string): Promise<unknown>;
  writeSetting(key: string, value: unknown): Promise<void>;

  /** The writes of ingestion; `createIngestor` is their only caller. */
  readonly ingest: IngestWrites;

  /** Ends the threads. Idempotent. */
  close(): Promise<void>;
}

export interface IngestWrites {
  /**
   * Acknowledges a document: its row and its job, or what makes them needless. `unchanged`: the same bytes are already
   * searchable with the same settings; `queued` with another job's id: the same bytes already wait or are being read.
   */
  submit(job: NewJob): Promise<{
    readonly status: "queued" | "unchanged";
    readonly documentId: string;
    readonly jobId: string | undefined;
    /** Jobs of former versions that this one cancelled. */
    readonly superseded: readonly string[];
  }>;
  submitIndexing(jobId: string): Promise<{ readonly jobId: string }>;
  getWork(jobId: string): Promise<JobWork | undefined>;
  /** Jobs that are queued or were running when the process ended, oldest first. */
  pending(): Promise<readonly JobWork[]>;
  progress(jobId: string, stage: JobStage, done: number, total: number | undefined): Promise<void>;
  fail(jobId: string, error: JobError): Promise<void>;
  cancel(jobId: string): Promise<void>;
  requeue(jobId: string): Promise<void>;
  complete(jobId: string): Promise<void>;

  /** The whole new version beside the old one; not searchable before `commit`. */
  stage(version: StagedVersion): Promise<void>;
  /** How much of a staged version is there after a restart; `undefined`: nothing. */
  staged(jobId: string): Promise<{ readonly versionId: string; readonly windows: number } | undefined>;
  /** Windows of a version behind a place in its text that lack a vector of the generation, in order. */
  missingVectors(
    versionId: string,
    generationId: number,
    limit: number,
    after: number,
  ): Promise<readonly { readonly id: number; readonly text: string; readonly charStart: number }[]>;
  countVectors(
    versionId: string,
    generationId: number,
  ): Promise<{ readonly done: number; readonly total: number }>;
  /** Cuts a window that the embedder cannot read whole; the places are offsets in its text. */
  splitWindow(id: number, cuts: readonly { readonly start: number; readonly end: number }[]): Promise<void>;
  putVectors(
    generationId: number,
    vectors: readonly { readonly id: number; readonly vector: Float32Array }[],
  ): Promise<void>;
  /** Makes a staged version the searchable one, removes the former, ends the job: one transaction. */
  commit(versionId: string): Promise<void>;

  /** Finds or makes the generation of an embedder; the very first becomes active at once. */
  generation(embedder: {
    readonly provider: string;
    readonly model: string;
    readonly dimensions: number;
  }): Promise<Generation>;
  /** The searchable windows that lack a vector of the generation, over all documents. */
  missingAnywhere(
    generationId: number,
    limit: number,
  ): Promise<{
    readonly windows: readonly { readonly id: number; readonly text: string }[];
    readonly left: number;
  }>;
  /** Makes it the active one and drops the others. */
  activate(generationId: number): Promise<void>;
}
