import { randomUUID } from "node:crypto";
import { join } from "node:path";

import { LlmError } from "@enginehouse/llm-core";

import type { EmbedderSource } from "../embedder.ts";
import { readRefusal } from "../extract/refusal.ts";
import { sniff } from "../extract/sniff.ts";
import { isHeld } from "../store/held.ts";
import type { DocumentFilter, Job, JobStage, Store } from "../store/store.ts";
import { addFolder } from "./folder.ts";
import { createPipeline } from "./pipeline.ts";
import { createQueue } from "./queue.ts";
import { type Content, createSpool } from "./spool.ts";

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
  /** How often in a row a provider may fail in a way that may pass before indexing gives up. Default 6. */
  readonly embedAttempts: number;
  /** The wait before the second attempt; it doubles with each further one, up to 30 s. Default 500. */
  readonly embedBackoffMs: number;
  /** The wait before a job looks again whether the full disk has room or the held database is free. Default 2,000. */
  readonly waitMs: number;
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
  /** Patterns of `glob.ts` against the path inside the folder. Default: every type that can be read. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FolderResult {
  readonly submitted: readonly (Submitted & { readonly path: string })[];
  /** Files that were left out and folders that could not be read, each with the reason. */
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
   * Rejects with `input-too-long` for a file over the limit, `unsupported` for one of a kind that cannot be read, and
   * `invalid-request` for an empty one or an unknown collection.
   */
  submit(content: Content, options: SubmitOptions): Promise<Submitted>;
  /** Every readable file under a folder of this machine; the path inside it is the external id. */
  addFolder(folder: string, options?: FolderOptions): Promise<FolderResult>;
  /** Stops a waiting or running job; its document's former version stays. `undefined`: no such job. */
  cancel(jobId: string): Promise<Job | undefined>;
  /** Queues a failed or cancelled job again. `undefined`: no such job. */
  retry(jobId: string): Promise<Job | undefined>;
  /** Computes the vectors that the present embedder lacks, in background; then searches use them. */
  reindex(): Promise<{ readonly jobId: string }>;
  /** Deletes documents with all that belongs to them; cancels their jobs first. */
  deleteDocuments(filter: DocumentFilter): Promise<{ readonly documents: number }>;
  /** Calls back on every step of every job, until the returned function is called. */
  subscribe(listener: (event: JobEvent) => void): () => void;
  /** Resolves when no job waits or runs. */
  idle(): Promise<void>;
  /** What keeps jobs from going on, by their ids: a full disk, a database that another program holds. */
  waiting(): ReadonlyMap<string, LlmError>;
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

export const DEFAULT_SETTINGS: IngestSettings = {
  parentTokens: 2000,
  parentOverlap: 200,
  windowTokens: 400,
  windowOverlap: 60,
  maxBytes: 50_000_000,
  parseTimeoutMs: 120_000,
  parseMemoryMb: 1024,
  concurrency: 2,
  embedAttempts: 6,
  embedBackoffMs: 500,
  waitMs: 2_000,
};

export function createIngestor(options: IngestorOptions): Ingestor {
  const { store, dataDir } = options;
  const settings = checkSettings({ ...DEFAULT_SETTINGS, ...options.settings });
  const spool = createSpool(join(dataDir, "spool"), settings.maxBytes);
  const listeners = new Set<(event: JobEvent) => void>();
  const pipeline = createPipeline({
    store,
    embedder: options.embedder,
    spool,
    settings,
    emit,
    onVectorsMissing: async () => {
      await reindex().catch((error: unknown) => {
        if (isHeld(error)) throw error;
      });
    },
  });
  const queue = createQueue(settings.concurrency, pipeline.run);

  function emit(event: JobEvent): void {
    for (const listener of listeners) listener(event);
  }

  async function start(): Promise<{ readonly resumed: number }> {
    const pending = await store.ingest.pending();
    const failed = await store.listJobs({ status: "failed", limit: -1 });
    await spool.keepOnly(new Set([...pending, ...failed].map((job) => job.id)));
    for (const job of pending) queue.add(job.id);
    try {
      if ((await options.embedder()) !== undefined && (await pipeline.lacksVectors())) await reindex();
    } catch (error) {
      // What another program holds now is looked at again with the next document.
      if (!isHeld(error)) throw error;
    }
    return { resumed: pending.length };
  }

  async function submit(
    content: Content,
    { name, mediaType, collectionId = "default", externalId, signal }: SubmitOptions,
  ): Promise<Submitted> {
    const jobId = newId("job");
    const shown = displayName(name);
    const { sha256, bytes, head } = await spool.write(jobId, content, shown, signal);
    let result: Awaited<ReturnType<Store["ingest"]["submit"]>>;
    try {
      assertReadable(head, shown, mediaType);
      result = await store.ingest.submit({
        jobId,
        documentId: newId("doc"),
        collectionId,
        externalId,
        name: shown,
        mediaType,
        sha256,
        bytes,
        settings: fingerprint(settings),
      });
    } catch (error) {
      await spool.remove(jobId);
      throw error;
    }
    // From here on it is acknowledged: whatever else fails, it is worked on.
    try {
      for (const former of result.superseded) await stop(former);
    } finally {
      if (result.jobId === jobId) queue.add(jobId);
      else await spool.remove(jobId);
    }
    const { documentId, status } = result;
    return { documentId, jobId: result.jobId, status };
  }

  /** What the store has ended already: its work and its file. */
  async function stop(jobId: string): Promise<void> {
    await queue.cancel(jobId);
    await spool.remove(jobId);
    const job = await store.getJob(jobId);
    if (job !== undefined) emit({ type: "job.cancelled", job });
  }

  async function cancel(jobId: string): Promise<Job | undefined> {
    const job = await store.getJob(jobId);
    if (job === undefined || (job.status !== "queued" && job.status !== "running")) return job;
    await store.ingest.cancel(jobId);
    await stop(jobId);
    return store.getJob(jobId);
  }

  async function retry(jobId: string): Promise<Job | undefined> {
    const job = await store.getJob(jobId);
    if (job === undefined || job.status !== "failed") return job;
    if (job.kind === "ingest" && !(await spool.has(jobId))) {
      throw new LlmError("invalid-request", `the file of "${job.name ?? jobId}" is not kept any more`, {
        hint: "Add it again.",
      });
    }
    // Its former run may not have left the queue, which would take the new one for it.
    await queue.cancel(jobId);
    await store.ingest.requeue(jobId);
    try {
      return await store.getJob(jobId);
    } finally {
      queue.add(jobId);
    }
  }

  async function reindex(): Promise<{ readonly jobId: string }> {
    const submitted = await store.ingest.submitIndexing(newId("job"));
    queue.add(submitted.jobId);
    return submitted;
  }

  async function deleteDocuments(filter: DocumentFilter): Promise<{ readonly documents: number }> {
    const { documents, jobIds } = await store.deleteDocuments(filter);
    for (const jobId of jobIds) {
      await queue.cancel(jobId);
      await spool.remove(jobId);
    }
    return { documents };
  }

  return {
    start,
    submit,
    addFolder: (folder, folderOptions = {}) =>
      addFolder(folder, folderOptions, { submit, maxBytes: settings.maxBytes }),
    cancel,
    retry,
    reindex,
    deleteDocuments,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    idle: queue.idle,
    waiting: () => pipeline.waiting,
    settings,
    async close() {
      await queue.close();
      await pipeline.close();
    },
  };
}

/** What no reader could read is refused while the client still listens, not in a job that fails later. */
function assertReadable(head: Uint8Array, name: string, mediaType: string | undefined): void {
  try {
    sniff(head, name, mediaType);
  } catch (error) {
    const refused = readRefusal(error);
    if (refused === undefined) throw error;
    const { message, hint } = refused;
    throw new LlmError("unsupported", message, { status: 415, hint, retryable: false });
  }
}

/** The last part of whatever the client calls its file, without what no page should print. */
export function displayName(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? "";
  const shown = last
    .replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, "")
    .trim()
    .slice(0, 255)
    // The cut may have gone through a character.
    .replace(/\p{Surrogate}$/u, "");
  return shown === "" || shown === "." || shown === ".." ? "document" : shown;
}

/** Bytes that were read with other settings are read again. */
function fingerprint({ parentTokens, parentOverlap, windowTokens, windowOverlap }: IngestSettings): string {
  return `reader 3, ${parentTokens}/${parentOverlap}, ${windowTokens}/${windowOverlap}`;
}

function newId(kind: "doc" | "job"): string {
  return `${kind}_${randomUUID().replaceAll("-", "").slice(0, 20)}`;
}

function checkSettings(settings: IngestSettings): IngestSettings {
  const { parentTokens, parentOverlap, windowTokens, windowOverlap } = settings;
  const wrong = Object.entries(settings).find(
    ([, value]) => !Number.isSafeInteger(value) || (value as number) < 0,
  );
  if (wrong !== undefined)
    throw new LlmError("invalid-settings", `${wrong[0]} must be a whole number, it is ${String(wrong[1])}`);
  if (
    windowTokens < 16 ||
    windowOverlap * 2 > windowTokens ||
    parentOverlap * 2 > parentTokens ||
    windowTokens > parentTokens
  ) {
    throw new LlmError(
      "invalid-settings",
      `windows of ${windowTokens} tokens overlapping by ${windowOverlap} in parents of ${parentTokens} overlapping by ${parentOverlap} are not possible`,
      {
        hint: "A window has at least 16 tokens and fits its parent; an overlap is at most half of its piece.",
      },
    );
  }
  return settings;
}
