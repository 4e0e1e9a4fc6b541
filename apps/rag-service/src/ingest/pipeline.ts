import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { isLlmError, type LlmError, toLlmError } from "@enginehouse/llm-core";

import { splitText } from "../chunk/chunk.ts";
import type { Embedder, EmbedderSource } from "../embedder.ts";
import { createReader, type Reader } from "../extract/reader.ts";
import { readRefusal } from "../extract/refusal.ts";
import { normalise } from "../retrieve/vector.ts";
import { isHeld, isLocked } from "../store/held.ts";
import type { Generation, Job, JobError, JobStage, JobWork, Store } from "../store/store.ts";
import type { IngestSettings, JobEvent } from "./ingest.ts";
import { withRetries } from "./retry.ts";
import type { Spool } from "./spool.ts";

/** Windows whose vectors are computed and written together: what a crash can cost. */
const BATCH = 16;
/** No job waits longer before it looks whether it can go on. */
const LONGEST_MS = 30_000;

export interface Pipeline {
  /** Does one job from wherever it stands to its end. Never rejects: what goes wrong is written into the job. */
  run(jobId: string, signal: AbortSignal): Promise<void>;
  /** There are searchable windows without a vector of the present embedder. */
  lacksVectors(): Promise<boolean>;
  /** What keeps jobs from going on, by their ids. */
  readonly waiting: ReadonlyMap<string, LlmError>;
  close(): Promise<void>;
}

export function createPipeline(options: {
  readonly store: Store;
  readonly embedder: EmbedderSource;
  readonly spool: Spool;
  readonly settings: IngestSettings;
  readonly emit: (event: JobEvent) => void;
  readonly onVectorsMissing: () => Promise<void>;
}): Pipeline {
  const { store, embedder: embedderOf, spool, settings, emit, onVectorsMissing } = options;
  const readers: Reader[] = [];
  const free: Reader[] = [];
  const waiting = new Map<string, LlmError>();
  /** Jobs whose document is searchable and lacks vectors that nobody was asked for yet. */
  const owing = new Set<string>();

  async function run(jobId: string, signal: AbortSignal): Promise<void> {
    let pauseMs = settings.waitMs;
    for (;;) {
      const hindrance = await attempt(jobId, signal);
      if (hindrance === undefined || signal.aborted) break;
      const told = waiting.has(jobId);
      waiting.set(jobId, hindrance);
      if (!told) await tellOfWait(jobId).catch(() => undefined);
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      // To ask whether a held database is free costs nothing; another hindrance may show only after work.
      if (!isLocked(hindrance)) pauseMs = Math.min(pauseMs * 2, LONGEST_MS);
    }
    waiting.delete(jobId);
    owing.delete(jobId);
  }

  /** What keeps the job from its end, so that it must go on later from where it stands; `undefined`: it has ended. */
  async function attempt(jobId: string, signal: AbortSignal): Promise<LlmError | undefined> {
    try {
      const work = await store.ingest.getWork(jobId);
      if (work?.status === "queued" || work?.status === "running") {
        if (work.kind === "ingest") await ingest(work, signal);
        else await index(work, signal);
      }
      if (owing.has(jobId)) await onVectorsMissing();
      await settled(jobId);
    } catch (error) {
      if (isOver(error, signal)) return undefined;
      if (isHeld(error)) return error;
      try {
        await store.ingest.fail(jobId, toJobError(error));
        await settled(jobId);
      } catch (unwritten) {
        return isOver(unwritten, signal) ? undefined : toLlmError(unwritten, "provider-internal");
      }
    }
    return undefined;
  }

  async function settled(jobId: string): Promise<void> {
    const job = await store.getJob(jobId);
    if (job?.status === "completed") {
      emit({ type: "job.completed", job });
      // What cannot be removed now goes with the next start: the document is whole.
      if (job.kind === "ingest") await spool.remove(jobId).catch(() => undefined);
    } else if (job?.status === "failed") emit({ type: "job.failed", job });
  }

  async function tellOfWait(jobId: string): Promise<void> {
    const job = await store.getJob(jobId);
    // One that is whole only waits to ask for its vectors: it is told as completed, once.
    if (job?.status !== "queued" && job?.status !== "running") return;
    const { stage, done, total } = job;
    emit({ type: "job.progress", job, stage, done, total });
  }

  async function ingest(work: JobWork, signal: AbortSignal): Promise<void> {
    // What was staged before a crash is whole: only vectors may be missing.
    const staged = await store.ingest.staged(work.id);
    const versionId = staged?.versionId ?? (await read(work, signal));
    const complete = await addVectors(work, versionId, signal);
    signal.throwIfAborted();
    await progress(work, "indexing", 0, 1);
    await store.ingest.commit(versionId);
    if (!complete) owing.add(work.id);
  }

  /** Without an embedder, or when it fails, words alone find the document until an indexing job adds the vectors. */
  async function addVectors(work: JobWork, versionId: string, signal: AbortSignal): Promise<boolean> {
    try {
      const embedder = await embedderOf();
      if (embedder === undefined) return true;
      const generation = await store.ingest.generation(identity(embedder));
      await embedVersion(work, versionId, embedder, generation, signal);
      return generation.active;
    } catch (error) {
      if (signal.aborted || (isLlmError(error) && error.operation === "store")) throw error;
      return false;
    }
  }

  async function read(work: JobWork, signal: AbortSignal): Promise<string> {
    const { documentId = "", name = "", sha256 = "", settings: fingerprint = "", bytes = 0 } = work;
    await progress(work, "extracting", 0, undefined);
    const told = throttled(
      (stage: JobStage, done: number, total: number | undefined) =>
        void progress(work, stage, done, total).catch(() => undefined),
    );
    const reader = free.pop() ?? newReader();
    const document = await reader
      .read({
        path: spool.path(work.id),
        name,
        mediaType: work.mediaType,
        chunk: settings,
        signal,
        onProgress: told,
      })
      .finally(() => free.push(reader));
    signal.throwIfAborted();
    await progress(work, "chunking", document.windows.length, document.windows.length);
    const id = `ver_${createHash("sha256").update(`${documentId}\n${sha256}\n${fingerprint}`).digest("hex").slice(0, 20)}`;
    const { text, pages, title = titleOf(name), mediaType, warnings, windows } = document;
    const { id: jobId } = work;
    await store.ingest.stage({
      id,
      documentId,
      jobId,
      title,
      mediaType,
      sha256,
      settings: fingerprint,
      bytes,
      warnings,
      text,
      pages,
      windows,
    });
    return id;
  }

  function newReader(): Reader {
    const reader = createReader({ timeoutMs: settings.parseTimeoutMs, memoryMb: settings.parseMemoryMb });
    readers.push(reader);
    return reader;
  }

  async function embedVersion(
    work: JobWork,
    versionId: string,
    embedder: Embedder,
    generation: Generation,
    signal: AbortSignal,
  ): Promise<void> {
    let { done, total } = await store.ingest.countVectors(versionId, generation.id);
    await progress(work, "embedding", done, total);
    let after = -1;
    for (;;) {
      signal.throwIfAborted();
      const windows = await store.ingest.missingVectors(versionId, generation.id, BATCH, after);
      if (windows.length === 0) return;
      const cut = await embedWindows(windows, embedder, generation, signal);
      if (cut) {
        // There are new windows where the old ones were: look again from here.
        ({ done, total } = await store.ingest.countVectors(versionId, generation.id));
      } else {
        done += windows.length;
        after = windows.at(-1)?.charStart ?? after;
      }
      await progress(work, "embedding", done, total);
    }
  }

  /** The one job that is patient: a document that waits for an engine would not be found by its words either. */
  async function index(work: JobWork, signal: AbortSignal): Promise<void> {
    const patience = { attempts: settings.embedAttempts, backoffMs: settings.embedBackoffMs, signal };
    const embedder = await withRetries(async () => embedderOf(), patience);
    if (embedder !== undefined) {
      const generation = await store.ingest.generation(identity(embedder));
      // Each try asks anew what is missing: the one before may have cut windows, or made some of their vectors.
      while (await withRetries(() => indexSome(work, embedder, generation, signal), patience));
      await progress(work, "indexing", 0, 1);
      if (!generation.active) await store.ingest.activate(generation.id);
    }
    await store.ingest.complete(work.id);
  }

  /** False when nothing was left to do. */
  async function indexSome(
    work: JobWork,
    embedder: Embedder,
    generation: Generation,
    signal: AbortSignal,
  ): Promise<boolean> {
    signal.throwIfAborted();
    const { windows, left } = await store.ingest.missingAnywhere(generation.id, BATCH);
    if (windows.length === 0) return false;
    await progress(work, "embedding", Math.max(0, generation.windows - left), generation.windows);
    await embedWindows(windows, embedder, generation, signal);
    return true;
  }

  /** True when windows had to be cut: their pieces wait for the next round. */
  async function embedWindows(
    windows: readonly { readonly id: number; readonly text: string }[],
    embedder: Embedder,
    generation: Generation,
    signal: AbortSignal,
  ): Promise<boolean> {
    const fitting: { readonly id: number; readonly text: string }[] = [];
    for (const window of windows) {
      const limit = embedder.maxTokens;
      const tokens = limit === undefined ? 0 : await countTokens(window.text, limit, embedder, signal);
      if (limit === undefined || tokens <= limit) fitting.push(window);
      else await store.ingest.splitWindow(window.id, splitToFit(window.text, tokens, limit));
    }
    const cut = fitting.length < windows.length;
    return (fitting.length > 0 && (await embedFitting(fitting, embedder, generation, signal))) || cut;
  }

  async function embedFitting(
    windows: readonly { readonly id: number; readonly text: string }[],
    embedder: Embedder,
    generation: Generation,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      const texts = windows.map(({ text }) => text);
      const vectors = await untilAborted(embedder.embed(texts, "document", { signal }), signal);
      const rows = windows.map(({ id }, at) => ({ id, vector: normalise(vectors[at], embedder) }));
      await store.ingest.putVectors(generation.id, rows);
      return false;
    } catch (error) {
      if (!isLlmError(error) || error.code !== "input-too-long") throw error;
      const [first] = windows;
      if (first === undefined) return false;
      // It did not announce this limit: find the text that is too long, and halve it.
      if (windows.length > 1)
        for (const window of windows) await embedFitting([window], embedder, generation, signal);
      else if (first.text.length < 32) throw error;
      else await store.ingest.splitWindow(first.id, splitToFit(first.text, 2, 1));
      return true;
    }
  }

  async function lacksVectors(): Promise<boolean> {
    const embedder = await embedderOf();
    if (embedder === undefined) return false;
    const generation = await store.ingest.generation(identity(embedder));
    if (!generation.active) return true;
    return (await store.ingest.missingAnywhere(generation.id, 1)).left > 0;
  }

  async function progress(
    work: JobWork,
    stage: JobStage,
    done: number,
    total: number | undefined,
  ): Promise<void> {
    await store.ingest.progress(work.id, stage, done, total);
    waiting.delete(work.id);
    const { sha256: _sha256, settings: _settings, bytes: _bytes, mediaType: _mediaType, ...job } = work;
    const running: Job = { ...job, status: "running", stage, done, total };
    emit({ type: "job.progress", job: running, stage, done, total });
  }

  return {
    run,
    lacksVectors,
    waiting,
    async close() {
      await Promise.all(readers.map((reader) => reader.close()));
    },
  };
}

/** Cancelled, superseded, deleted, or the service is closing: whoever did it has seen to the rest. */
function isOver(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return true;
  if (!isLlmError(error) || error.operation !== "store") return false;
  return error.code === "aborted" || error.code === "shut-down";
}

/** The promise, or the abort: whatever an embedder makes of the signal, cancelling never waits for it. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(toLlmError(signal.reason, "aborted"));
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(toLlmError(signal.reason, "aborted"));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** What names a generation: the embedder itself cannot cross to the thread of the store. */
function identity({ provider, model, dimensions }: Embedder) {
  return { provider, model, dimensions };
}

/** Never more tokens than characters, so that most windows of a small limit need no count at all. */
async function countTokens(
  text: string,
  limit: number,
  embedder: Embedder,
  signal: AbortSignal,
): Promise<number> {
  if (text.length + 2 <= limit) return text.length;
  if (embedder.countTokens !== undefined) return untilAborted(embedder.countTokens(text, { signal }), signal);
  return Math.ceil(text.length / 3.2);
}

function splitToFit(
  text: string,
  tokens: number,
  limit: number,
): readonly { readonly start: number; readonly end: number }[] {
  // Halves or less, however wrong the estimate is: each piece is counted again.
  const share = Math.min(0.5, (limit / tokens) * 0.9);
  for (let target = Math.max(1, Math.floor((text.length / 4) * share)); ; target = Math.floor(target / 2)) {
    const cuts = splitText(text, Math.max(1, target));
    if (cuts.length > 1 || target <= 1) return cuts;
  }
}

function titleOf(name: string): string {
  return (
    name
      .replace(/\.[^.]+$/, "")
      .replace(/[_-]+/g, " ")
      .trim() || name
  );
}

/** Not every page needs to be written down: at most ten times a second. */
function throttled<Values extends readonly unknown[]>(
  call: (...values: Values) => void,
): (...values: Values) => void {
  let last = 0;
  return (...values) => {
    const now = performance.now();
    if (now - last < 100) return;
    last = now;
    call(...values);
  };
}

function toJobError(error: unknown): JobError {
  const refused = readRefusal(error);
  if (refused !== undefined) return refused;
  const { code, message, hint, retryable } = toLlmError(error, "provider-internal");
  return {
    code,
    message,
    hint: hint ?? "Try again; if it fails again, see the log of the service.",
    retryable,
  };
}
