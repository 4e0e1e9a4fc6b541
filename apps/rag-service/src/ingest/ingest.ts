import type { EmbedderSource } from "../embedder.ts";
import type { Job, JobStage, Store } from "../store/store.ts";

/** Sizes of the pieces, in tokens, and the limits of reading. */
export interface IngestSettings {
  /** The unit that is shown and cited. Default 2,000, overlapping by 200. */
  readonly parentTokens: number;
  readonly parentOverlap: number;
  /** The unit that is indexed, inside a parent. Default 400 overlapping by 60, or less where the embedder reads less. */
  readonly windowTokens: number;
  readonly windowOverlap: number;
  /** The largest file that is taken. Default 50 MB. */
  readonly maxBytes: number;
  /** How long reading one file may take. Default 120,000. */
  readonly parseTimeoutMs: number;
  /** How much memory reading one file may take. Default 1,024. */
  readonly parseMemoryMb: number;
  /** Documents worked on at the same time. Default 2. */
  readonly concurrency: number;
}

/** What is known about a file beside its bytes. */
export interface SubmitOptions {
  /** The client's name for it: for people and as a hint to its type, never used as a path. */
  readonly name: string;
  readonly mediaType?: string | undefined;
  /** Default `default`. */
  readonly collectionId?: string | undefined;
  /** The caller's own name for the document: the same one again means a new version of it. */
  readonly externalId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Submitted {
  readonly documentId: string;
  /** `undefined` when the document is unchanged: there is nothing to do. */
  readonly jobId: string | undefined;
  readonly status: "queued" | "unchanged";
}

export interface FolderOptions {
  readonly collectionId?: string | undefined;
  /** Glob patterns against the path inside the folder. Default: every type that can be read. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FolderResult {
  readonly submitted: readonly (Submitted & { readonly path: string })[];
  /** Files that were left out, each with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

export type JobEvent =
  | {
      readonly type: "job.progress";
      readonly job: Job;
      readonly stage: JobStage;
      readonly done: number;
      readonly total: number | undefined;
    }
  | { readonly type: "job.completed"; readonly job: Job }
  | { readonly type: "job.failed"; readonly job: Job }
  | { readonly type: "job.cancelled"; readonly job: Job };

export interface Ingestor {
  /** Takes up the jobs that a former process left, and indexes what the present embedder has not seen. */
  start(): Promise<{ readonly resumed: number }>;
  /**
   * Takes a document: when this resolves, file and job are on disk and survive a crash.
   * Rejects with `input-too-long` for a file over the limit and `invalid-request` for an empty one or an unknown collection.
   */
  submit(
    content: Uint8Array | AsyncIterable<Uint8Array> | { readonly path: string },
    options: SubmitOptions,
  ): Promise<Submitted>;
  /** Every readable file under a folder of this machine; the path inside it is the external id. */
  addFolder(folder: string, options?: FolderOptions): Promise<FolderResult>;
  /** Stops a waiting or running job; its document's former version stays. `undefined`: no such job. */
  cancel(jobId: string): Promise<Job | undefined>;
  /** Queues a failed or cancelled job again. `undefined`: no such job. */
  retry(jobId: string): Promise<Job | undefined>;
  /** Computes the vectors that the present embedder lacks, in background; then searches use them. */
  reindex(): Promise<{ readonly jobId: string }>;
  /** Deletes documents with all that belongs to them; cancels their jobs first. */
  deleteDocuments(filter: Parameters<Store["deleteDocuments"]>[0]): Promise<{ readonly documents: number }>;
  /** Calls back on every step of every job, until the returned function is called. */
  subscribe(listener: (event: JobEvent) => void): () => void;
  /** Resolves when no job waits or runs. */
  idle(): Promise<void>;
  readonly settings: IngestSettings;
  /** Stops after the step at hand; jobs go on at the next start. */
  close(): Promise<void>;
}

export interface IngestorOptions {
  readonly store: Store;
  readonly embedder: EmbedderSource;
  /** Uploads wait here, in the folder `spool`, until they are indexed. */
  readonly dataDir: string;
  readonly settings?: Partial<IngestSettings> | undefined;
}

export function createIngestor(_options: IngestorOptions): Ingestor {
  throw new Error("not written yet");
}
